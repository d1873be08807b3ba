import type { Notice } from '#domain/notice.js';
import { RegistryError } from '#domain/registry-error.js';
import { POD_HASH_ANNOTATION } from '#kubernetes/to-workload.js';
import type { Blueprint } from './blueprint.js';
import { isFields } from '#domain/fields.js';
import { digestOf } from './digest.js';
import type { Fields } from '#domain/fields.js';
import { trimmedEnd } from '#domain/trimmed-end.js';
import { names, podLabels } from './naming.js';
import type { PodRole } from './naming.js';
import { MAIN_CONTAINER, PGPASS_CONTAINER, toPodTemplate } from './pod.js';
import type { Container, PodTemplate } from './pod.js';
import { shownStep } from '#domain/field-path.js';
import { listFaults } from '#spec/spec-fault.js';
import { confineSidecars, policyFaults } from './template-policy.js';
import { strategicMerge } from './strategic-merge.js';

const HASH_VARIABLE = 'REGISTRY_POD_HASH';

/**
 * Annotation with the uid of the ServiceAccount. A token becomes invalid with its account and is not renewed in pods
 * that already run, so another account requires new pods.
 */
const ACCOUNT_ANNOTATION = 'toolhive.stacklok.dev/service-account-uid';

/** Name of the volume that users may replace by their own: /tmp. */
const REPLACEABLE_VOLUME = 'tmp';

export interface FinishedPod {
  readonly template: PodTemplate;
  /** Changes when the pods have to be replaced. */
  readonly hash: string;
  /** Warnings about parts of the user's template that look wrong but are applied. */
  readonly warnings: readonly Notice[];
}

/**
 * Returns the pod template to deploy: the registry's own, with the user's template merged into it. Throws if the two
 * conflict.
 */
export function finishPod(blueprint: Blueprint, role: PodRole): FinishedPod {
  const own = toPodTemplate(blueprint, role);
  const wanted = blueprint.spec.podTemplateSpec ?? {};
  const { podTemplatePolicy } = blueprint.settings;
  const faults = [...policyFaults(blueprint.spec, podTemplatePolicy), ...ownFaults(own), ...faultsIn(wanted, own)];
  if (faults.length > 0) {
    // With a raw configuration the volumes are the user's as well, so the reason blames the whole spec.
    const reason = blueprint.spec.raw ? 'ValidationFailed' : 'InvalidPodTemplateSpec';
    throw new RegistryError(reason, listFaults(faults), 'stop');
  }
  const merged = withAccount(withInitResources(merge(own, wanted, blueprint, role)), blueprint);
  const hash = hashOf(merged, blueprint);
  return { template: withHash(merged, hash), hash, warnings: warningsAbout(wanted) };
}

function merge(own: PodTemplate, wanted: Fields, { registry, settings }: Blueprint, role: PodRole): PodTemplate {
  const merged = strategicMerge(own as object as Fields, wanted) as object as PodTemplate;
  const labels = { ...merged.metadata.labels, ...podLabels(registry.name, role) };
  const spec = settings.podTemplatePolicy === 'restricted' ? confineSidecars(merged.spec) : merged.spec;
  return { ...merged, metadata: { ...merged.metadata, labels }, spec };
}

/**
 * Gives `setup-pgpass` the resources of the server's container, unless the template sets others. The init container
 * exits before the server starts, so the pod needs no more in total, and a LimitRange or quota that admits the server
 * admits the init container too.
 */
function withInitResources(template: PodTemplate): PodTemplate {
  const { initContainers, containers } = template.spec;
  const resources = mainOf(containers)?.['resources'];
  if (!initContainers || resources === undefined) return template;
  const filled = initContainers.map((container) =>
    container.name === PGPASS_CONTAINER ? { resources, ...container } : container,
  );
  return { ...template, spec: { ...template.spec, initContainers: filled } };
}

/** Sets the registry's ServiceAccount, unless the user's template sets one. */
function withAccount(template: PodTemplate, { registry, accountUid }: Blueprint): PodTemplate {
  const { metadata, spec } = template;
  if (accountUid === undefined || spec['serviceAccountName'] !== names.access(registry.name)) return template;
  const annotations = { ...metadata.annotations, [ACCOUNT_ANNOTATION]: accountUid };
  return { ...template, metadata: { ...metadata, annotations } };
}

/**
 * Returns a hash of the template and of everything that the server reads only at its start: its database and auth
 * sections, and the objects behind its mounted files. Changes of sources, filters and intervals are not included,
 * because the server picks them up while it runs.
 */
function hashOf(template: PodTemplate, { spec, settings, versions }: Blueprint): string {
  const { databaseConfig = null, auth } = spec;
  return digestOf([template, databaseConfig, auth, settings.caBundle ?? null, Object.entries(versions).toSorted()]);
}

function withHash({ metadata, spec, ...rest }: PodTemplate, hash: string): PodTemplate {
  const containers = spec.containers.map((container) =>
    container.name === MAIN_CONTAINER
      ? { ...container, env: [...(container.env ?? []), { name: HASH_VARIABLE, value: hash }] }
      : container,
  );
  const annotations = { ...metadata.annotations, [POD_HASH_ANNOTATION]: hash };
  return { ...rest, metadata: { ...metadata, annotations }, spec: { ...spec, containers } };
}

/** Returns conflicts between the volumes of a `configYAML` and the server's own. */
function ownFaults({ spec }: PodTemplate): string[] {
  return [
    ...repeated(spec.volumes.map(({ name }) => name)).map(
      (name) => `spec.volumes: two volumes are named ${shownStep(name)}`,
    ),
    ...repeated(pathsOf(mainOf(spec.containers))).map(
      (path) => `spec.volumeMounts: ${shownStep(path)} is mounted already: choose another path`,
    ),
  ];
}

function faultsIn(wanted: Fields, own: PodTemplate): string[] {
  const shape = shapeFaults(wanted);
  if (shape.length > 0) return shape;
  const spec = (wanted['spec'] ?? {}) as Partial<PodTemplate['spec']>;
  const { containers = [], initContainers = [], volumes = [] } = spec;
  return [
    ...containers.flatMap((container) => imageFault('containers', container, MAIN_CONTAINER)),
    ...initContainers.flatMap((container) => initFaults(container, own)),
    ...volumes.flatMap(({ name }) => volumeFault(name, own)),
    ...mountFaults(mainOf(containers), mainOf(own.spec.containers)),
    ...environmentFaults(mainOf(containers), mainOf(own.spec.containers)),
  ];
}

/** Returns errors in the parts of the template that the code here traverses; the API server validates the rest. */
function shapeFaults(wanted: Fields): string[] {
  const faults: string[] = [];
  const fields = (owner: Fields, path: string, field: string): Fields => {
    const value = owner[field] ?? {};
    if (isFields(value)) return value;
    faults.push(`${path}.${field} must be an object with fields`);
    return {};
  };
  const items = (owner: Fields, path: string, field: string, key: string): Fields[] => {
    const value = owner[field] ?? [];
    const fits = Array.isArray(value) && value.every((item) => isFields(item) && typeof item[key] === 'string');
    if (!fits) faults.push(`${path}.${field} must be a list of objects that each have a ${key}`);
    return fits ? value : [];
  };
  const metadata = fields(wanted, 'podTemplateSpec', 'metadata');
  fields(metadata, 'podTemplateSpec.metadata', 'labels');
  fields(metadata, 'podTemplateSpec.metadata', 'annotations');
  const spec = fields(wanted, 'podTemplateSpec', 'spec');
  for (const list of ['containers', 'initContainers']) {
    for (const container of items(spec, 'podTemplateSpec.spec', list, 'name')) {
      const path = `podTemplateSpec.spec.${list}[${shownStep(container['name'] as string)}]`;
      items(container, path, 'env', 'name');
      items(container, path, 'volumeMounts', 'mountPath');
    }
  }
  items(spec, 'podTemplateSpec.spec', 'volumes', 'name');
  return faults;
}

function imageFault(list: string, { name, image }: Container, main?: string): string[] {
  if (name === main || image) return [];
  const remedy =
    main === undefined
      ? 'give it one'
      : `the main container must be called ${main}, and every other one needs an image of its own`;
  return [`podTemplateSpec.spec.${list}[${shownStep(name)}] has no image: ${remedy}`];
}

function initFaults(container: Container, own: PodTemplate): string[] {
  if (!own.spec.initContainers) return imageFault('initContainers', container);
  if (container.name !== PGPASS_CONTAINER) return imageFault('initContainers', container);
  const others = Object.keys(container).filter((field) => field !== 'name' && field !== 'resources');
  return others.map(
    (field) =>
      `podTemplateSpec.spec.initContainers[${PGPASS_CONTAINER}].${shownStep(field)} cannot be set: ` +
      'this init container belongs to the operator, and only its resources can be chosen; use another name for your own',
  );
}

function volumeFault(name: string, own: PodTemplate): string[] {
  const taken = name !== REPLACEABLE_VOLUME && own.spec.volumes.some((volume) => volume.name === name);
  return taken
    ? [`podTemplateSpec.spec.volumes[${shownStep(name)}] is a volume of the operator: choose another name`]
    : [];
}

function mountFaults(wanted: Container | undefined, own: Container | undefined): string[] {
  const taken = new Set(
    (own?.volumeMounts ?? []).flatMap(({ name, mountPath }) =>
      name === REPLACEABLE_VOLUME ? [] : [normalPath(mountPath)],
    ),
  );
  const paths = pathsOf(wanted);
  const twice = new Set([...paths.filter((path) => taken.has(path)), ...repeated(paths)]);
  return Array.from(
    twice,
    (path) => `podTemplateSpec.spec.containers[${MAIN_CONTAINER}] mounts ${shownStep(path)} twice: choose another path`,
  );
}

/**
 * Prevents the user from overriding the variables that hold the identity of the server and the path of its password
 * file.
 */
function environmentFaults(wanted: Container | undefined, own: Container | undefined): string[] {
  const taken = (own?.env ?? []).flatMap(({ name }) => (/^(REGISTRY_|POD_NAME$|PGPASSFILE$)/.test(name) ? [name] : []));
  return (wanted?.env ?? []).flatMap(({ name }) =>
    name === HASH_VARIABLE || taken.includes(name)
      ? [
          `podTemplateSpec.spec.containers[${MAIN_CONTAINER}] sets ${shownStep(name)}, which the operator sets: remove it`,
        ]
      : [],
  );
}

function warningsAbout(wanted: Fields): Notice[] {
  const { containers = [] } = (wanted['spec'] ?? {}) as Partial<PodTemplate['spec']>;
  if (containers.length === 0 || mainOf(containers)) return [];
  const others = containers.map(({ name }) => name).join(', ');
  const message = `podTemplateSpec has no container named ${MAIN_CONTAINER}: ${others} run next to it`;
  return [{ reason: 'SidecarsOnly', message }];
}

function mainOf(containers: readonly Container[]): Container | undefined {
  return containers.find(({ name }) => name === MAIN_CONTAINER);
}

function pathsOf(container: Container | undefined): string[] {
  return (container?.volumeMounts ?? []).map(({ mountPath }) => normalPath(mountPath));
}

function normalPath(path: string): string {
  return trimmedEnd(path, '/') || '/';
}

function repeated(values: readonly string[]): string[] {
  const counts = Map.groupBy(values, (value) => value);
  return [...counts].flatMap(([value, { length }]) => (length > 1 ? [value] : []));
}
