import { normalize as normalizePath } from 'node:path/posix';
import { isOperatorSecret } from '#domain/spec-fields.js';
import { namedFile } from '#domain/object-field.js';
import type { ObjectField } from '#domain/object-field.js';
import { findSource } from '#sources/index.js';
import { isReadableFile, SERVICE_ACCOUNT_CA, SERVICE_ACCOUNT_TOKEN } from '#sources/readable-file.js';
import { PROVIDER_OBJECTS, requestedUrls } from '#identity/provider-spec.js';
import type { OAuthProvider } from '#identity/provider-spec.js';
import type { ServerSpec } from './server-config.js';
import { formatPath } from './spec-fault.js';
import type { SpecFault } from './spec-fault.js';

type Fields = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

const MAIN_CONTAINER = 'registry-api';

/** The names of the API server that no tenant can give to a Service: shorter ones are searched for in the namespace first. */
const API_SERVER = /^https:\/\/kubernetes\.default\.svc(?:\.cluster\.local)?(?::443)?(?:\/|$)/;

const MESSAGE =
  'may not be read: name a file below /secrets, below the mountPath of a volume of this registry, or refer to a Secret or ConfigMap';

/** Returns a fault for each file that the spec names and its server must not read for it. `auth` is the field that says who may log in. */
export function namedFileFaults(spec: MountingSpec, auth: 'auth' | 'authConfig'): SpecFault[] {
  const mounts = ownMounts(spec);
  return namedFiles(spec, auth).flatMap(({ path, file, granted }): SpecFault[] => {
    if (granted.includes(file) || mounts.areReadable(file)) return [];
    if (!spec.raw) return [{ path: ['spec', ...path], message: MESSAGE }];
    return [{ path: ['spec', 'configYAML'], message: `${formatPath(path)}: ${MESSAGE}` }];
  });
}

/** Files of the service account that fields of a provider may name: its token goes to the API server only. */
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

/** `granted` are the files that need no volume of the registry, by field. */
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

/** The mounts of the registry's own volumes; below a mount of any other volume, such as those of the operator, nothing is readable. */
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

/** Without a slash at the end. */
function normalize(path: string): string {
  return normalizePath(path).replace(/\/+$/, '');
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}
