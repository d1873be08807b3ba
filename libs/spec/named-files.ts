import { isFields } from '#domain/fields.js';
import { normalize as normalizePath } from 'node:path/posix';
import { isOperatorSecret } from '#domain/spec-fields.js';
import { namedFile } from '#domain/object-field.js';
import type { ObjectField } from '#domain/object-field.js';
import { findSource } from '#sources/index.js';
import { isReadableFile, SERVICE_ACCOUNT_CA, SERVICE_ACCOUNT_TOKEN } from '#sources/readable-file.js';
import { PROVIDER_OBJECTS, requestedUrls } from '#identity/provider-spec.js';
import type { OAuthProvider } from '#identity/provider-spec.js';
import type { ServerSpec } from './server-config.js';
import { formatPath } from '#domain/field-path.js';
import type { SpecFault } from './spec-fault.js';
import { trimmedEnd } from '#domain/trimmed-end.js';

type Fields = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

const MAIN_CONTAINER = 'registry-api';

/**
 * The host names of the API server that no tenant can give to a Service. Shorter names are looked up in the namespace
 * first.
 */
const API_SERVER = /^https:\/\/kubernetes\.default\.svc(?:\.cluster\.local)?(?::443)?(?:\/|$)/;

const MESSAGE =
  'may not be read: name a file below /secrets, below the mountPath of a volume of this registry, or refer to a Secret or ConfigMap';

/**
 * Returns an error for each file in the spec that the server must not read for it. `auth` is the field that contains
 * the access rules.
 */
export function namedFileFaults(spec: MountingSpec, auth: 'auth' | 'authConfig'): SpecFault[] {
  const mounts = ownMounts(spec);
  return namedFiles(spec, auth).flatMap(({ path, file, granted }): SpecFault[] => {
    if (granted.includes(file) || mounts.areReadable(file)) return [];
    if (!spec.raw) return [{ path: ['spec', ...path], message: MESSAGE }];
    return [{ path: ['spec', 'configYAML'], message: `${formatPath(path)}: ${MESSAGE}` }];
  });
}

/**
 * Returns the files of the service account that fields of a provider may refer to. Its token may be sent only to the
 * API server.
 */
export function grantedFiles(provider: OAuthProvider): {
  readonly caCertPath: string[];
  readonly authTokenFile: string[];
} {
  const isApiServer = Object.values(requestedUrls(provider)).every((url) => API_SERVER.test(url));
  return { caCertPath: [SERVICE_ACCOUNT_CA], authTokenFile: isApiServer ? [SERVICE_ACCOUNT_TOKEN] : [] };
}

/** A spec with the volumes of its pod. */
interface MountingSpec extends ServerSpec {
  readonly podTemplateSpec?: Fields;
  readonly raw?: { readonly volumes: readonly Fields[]; readonly volumeMounts: readonly Fields[] };
}

interface NamedFile {
  readonly path: Path;
  readonly file: string;
  readonly granted: readonly string[];
}

function namedFiles({ auth, registries, views }: MountingSpec, authField: string): NamedFile[] {
  const providers = auth.mode === 'oauth' ? auth.oauth.providers : [];
  const list = views ? 'sources' : 'registries';
  return [
    ...providers.flatMap((provider, index) => {
      const granted: Readonly<Record<string, readonly string[]>> = grantedFiles(provider);
      return namedIn(PROVIDER_OBJECTS, provider, [authField, 'oauth', 'providers', index], granted);
    }),
    ...registries.flatMap(({ type, spec }, index) =>
      namedIn(findSource(type)?.objects ?? [], spec, [list, index, type], {}),
    ),
  ];
}

/**
 * Returns the files in the given fields of a block. `granted` lists the files that do not have to be in a volume of the
 * registry, by field.
 */
function namedIn(
  fields: readonly ObjectField[],
  block: unknown,
  at: Path,
  granted: Readonly<Record<string, readonly string[]>>,
): NamedFile[] {
  return fields.flatMap((field) => {
    const named = namedFile(field, block);
    if (!named) return [];
    return [{ path: [...at, ...named.path], file: named.file, granted: granted[field.fileField as string] ?? [] }];
  });
}

/**
 * Returns the mounts of the registry's own volumes. Files below a mount of any other volume, such as those of the
 * operator, are not readable.
 */
function ownMounts({ raw, podTemplateSpec }: MountingSpec): { areReadable(file: string): boolean } {
  const pod = fieldsOf(podTemplateSpec?.['spec']);
  const main = listOf(pod['containers']).find(({ name }) => name === MAIN_CONTAINER) ?? {};
  const volumes = [...(raw?.volumes ?? []), ...listOf(pod['volumes'])];
  const own = new Set(volumes.filter((volume) => !holdsOperatorSecret(volume)).map(({ name }) => name));
  const mounts = [...(raw?.volumeMounts ?? []), ...listOf(main['volumeMounts'])];
  const pathsOf = (isOwn: boolean) =>
    mounts.filter(({ name }) => own.has(name) === isOwn).map(({ mountPath }) => String(mountPath));
  const [mine, foreign] = [pathsOf(true), pathsOf(false)];
  return {
    areReadable: (file) =>
      isReadableFile(file, mine) && !foreign.some((mount) => `${normalize(file)}/`.startsWith(`${normalize(mount)}/`)),
  };
}

function holdsOperatorSecret({ name, secret, projected }: Fields): boolean {
  if (['temporal', 'pgpass', 'pgpass-secret'].includes(String(name))) return true;
  const sources = listOf(fieldsOf(projected)['sources']).map((source) => fieldsOf(source['secret'])['name']);
  return [fieldsOf(secret)['secretName'], ...sources].some((each) => isOperatorSecret(String(each)));
}

/** Normalizes a path and removes a trailing slash. */
function normalize(path: string): string {
  return trimmedEnd(normalizePath(path), '/');
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}
