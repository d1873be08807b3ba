import { isFields } from '#domain/fields.js';
import { z } from 'zod';
import { dataKey, objectName, secretName } from '#domain/spec-fields.js';
import { YAML_LIMIT } from '#sources/yaml/config-yaml.js';

/** Names of volumes, and paths of mounts, that the operator itself adds to the pod. */
const CONFIG_VOLUME = 'registry-server-config';
const PGPASS_VOLUMES = ['pgpass-secret', 'pgpass'];
const CONFIG_DIRECTORY = '/config';
const PGPASS_FILE = '/home/appuser/.pgpass';

/**
 * Maximum length of a configYAML in characters, which is far more than users write by hand. It is limited because
 * parsing one registry delays all others.
 */
export const CONFIG_LIMIT = YAML_LIMIT;

const volume = z.looseObject({ name: z.string().min(1).max(63).describe('name is the name of the volume.') });

const volumeMount = z.looseObject({
  name: z.string().min(1).max(63).describe('name is the name of the volume.'),
  mountPath: z.string().min(1).max(1024).describe('mountPath is the path at which the volume is mounted.'),
});

/** The fields that replace the typed ones: a complete server configuration, and what it needs in the pod. */
export const rawFields = {
  configYAML: z
    .string()
    .min(1)
    .max(CONFIG_LIMIT)
    .optional()
    .describe('configYAML is a complete server configuration that is used as it is. It must not contain credentials.'),
  volumes: z.array(volume).max(100).optional().describe('volumes are added to the pod.'),
  volumeMounts: z
    .array(volumeMount)
    .max(100)
    .optional()
    .describe('volumeMounts are added to the container registry-api.'),
  pgpassSecretRef: z
    .strictObject({
      name: secretName.describe('name is the name of the Secret.'),
      key: dataKey.describe('key is the key in the data of the Secret.'),
    })
    .optional()
    .describe('pgpassSecretRef refers to a Secret with a complete pgpass file.'),
  imagePullSecrets: z
    .array(z.strictObject({ name: objectName.describe('name is the name of the Secret.') }))
    .max(20)
    .optional(),
};

const NEED_CONFIG = ['volumes', 'volumeMounts', 'pgpassSecretRef'] as const;
const EXCLUDED_BY_CONFIG = [
  'registries',
  'databaseConfig',
  'auth',
  'authConfig',
  'console',
  'ard',
  'publicUrl',
  'webhooks',
] as const;

/** The part of `rawFieldsFit` that the API server can check. */
export const rawFieldsAdmission = [
  ...EXCLUDED_BY_CONFIG.map((field) => ({
    rule: `!has(self.configYAML) || !has(self.${field})`,
    message: `${field} cannot be combined with configYAML: move it into configYAML, or remove configYAML`,
  })),
  ...NEED_CONFIG.map((field) => ({
    rule: `has(self.configYAML) || !has(self.${field})`,
    message: `${field} is only for configYAML: use podTemplateSpec or databaseConfig, or add configYAML`,
  })),
];

/**
 * Refinement of the whole spec: which fields are allowed with `configYAML`, which are not, and what is reserved for the
 * operator.
 */
export function rawFieldsFit(spec: unknown, context: z.core.$RefinementCtx): void {
  if (!isFields(spec)) return;
  const given = (field: string) => spec[field] !== undefined;
  const refuse = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });

  if (given('configYAML')) {
    for (const field of EXCLUDED_BY_CONFIG.filter(given)) {
      refuse([field], 'cannot be combined with configYAML: move it into configYAML, or remove configYAML');
    }
  } else {
    for (const field of NEED_CONFIG.filter(given)) {
      refuse([field], 'is only for configYAML: use podTemplateSpec or databaseConfig, or add configYAML');
    }
  }

  const reserved = new Set([CONFIG_VOLUME, ...(given('pgpassSecretRef') ? PGPASS_VOLUMES : [])]);
  for (const [index, name] of column(spec['volumes'], 'name')) {
    if (reserved.has(name))
      refuse(['volumes', index, 'name'], 'is the name of a volume of the operator: choose another');
  }
  const taken = new Set([CONFIG_DIRECTORY, ...(given('pgpassSecretRef') ? [PGPASS_FILE] : [])]);
  for (const [index, path] of column(spec['volumeMounts'], 'mountPath')) {
    if (taken.has(path)) refuse(['volumeMounts', index, 'mountPath'], 'is mounted already: choose another path');
    taken.add(path);
  }
}

/**
 * Returns the strings under one key of a list's items, with their indexes. Values that are not strings are reported
 * elsewhere.
 */
function column(items: unknown, key: string): [number, string][] {
  if (!Array.isArray(items)) return [];
  return items.flatMap((item, index): [number, string][] =>
    typeof item?.[key] === 'string' ? [[index, item[key]]] : [],
  );
}
