import { isFields } from '#domain/fields.js';
import type { Fields } from '#domain/fields.js';

/**
 * The merge keys by which Kubernetes identifies list items when it merges two pod templates, for the lists that a
 * registry's template has. Every other list is replaced as a whole.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
 */
const MERGE_KEYS: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    containers: 'name',
    initContainers: 'name',
    volumes: 'name',
    env: 'name',
    ports: 'containerPort',
    volumeMounts: 'mountPath',
  }),
);

/**
 * Lists whose items are replaced as a whole. Each item has one of several alternative fields, so a merged item could
 * have two of them.
 */
const REPLACED_WHOLE = ['volumes', 'env', 'volumeMounts'];

/**
 * The field that is replaced as a whole. Limits must not be below requests, so a partial patch could conflict with
 * values that its author does not see.
 */
const ALL_OR_NOTHING = 'resources';

/** The handlers of a probe, of which a probe has exactly one. */
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc'];

/** Merges `patch` into `base`: objects field by field, lists item by item. A null in the patch removes the field. */
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
  const key = MERGE_KEYS.get(field);
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

/**
 * Returns a value of the patch that replaces or adds a whole value, without its nulls, because in it null means absent.
 */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isFields(value)) return value;
  return strategicMerge({}, value);
}
