import { isFields } from '#domain/fields.js';
import type { Fields } from '#domain/fields.js';

/**
 * By which of their fields Kubernetes tells items apart when it merges two pod templates, for the lists that a registry's
 * template has; every other list is replaced as a whole. https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
 */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  ports: 'containerPort',
  volumeMounts: 'mountPath',
};

/** Items that say one thing in one of several ways: two halves of them would say two things at once. */
const REPLACED_WHOLE = ['volumes', 'env', 'volumeMounts'];

/** Requests and limits are weighed against one another: half of them would be held against what is not in sight. */
const ALL_OR_NOTHING = 'resources';

/** The ways to probe; a probe has one. */
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc'];

/** `base` with what `patch` says otherwise: objects field by field, lists item by item; null takes a field away. */
export function strategicMerge(base: Fields, patch: Fields): Fields {
  const merged: Record<string, unknown> = { ...base };
  if (HANDLERS.some((handler) => isFields(patch[handler]))) for (const handler of HANDLERS) delete merged[handler];
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field];
    else merged[field] = mergeValue(field, merged[field], value);
  }
  return merged;
}

function mergeValue(field: string, base: unknown, patch: unknown): unknown {
  if (isFields(base) && isFields(patch)) {
    const whole = field === ALL_OR_NOTHING && Object.keys(patch).length > 0;
    return whole ? withoutNulls(patch) : strategicMerge(base, patch);
  }
  const key = MERGE_KEYS[field];
  if (key === undefined || !Array.isArray(base) || !Array.isArray(patch)) return withoutNulls(patch);
  return mergeList(base as Fields[], patch as Fields[], key, REPLACED_WHOLE.includes(field));
}

function mergeList(base: readonly Fields[], patch: readonly Fields[], key: string, whole: boolean): unknown[] {
  const merged = new Map(base.map((item) => [item[key], item]));
  for (const item of patch) {
    const known = merged.get(item[key]);
    merged.set(item[key], known && !whole ? strategicMerge(known, item) : (withoutNulls(item) as Fields));
  }
  return [...merged.values()];
}

/** Returns a value of the patch that replaces or adds a whole value: in it, null means absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isFields(value)) return value;
  return strategicMerge({}, value);
}
