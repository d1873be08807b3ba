import { isDeepStrictEqual } from 'node:util';
import { certificateFile, secretFile, sourceFile } from './pod-paths.js';

/**
 * Where an MCPRegistry refers to an object, the configuration of a server names a file. What is rendered says both: the
 * object, which is what is meant, and the file in which the pod has it, for a server that knows nothing of objects (that of a
 * ConfigMap source is there only in a pod that may not ask the cluster). Reading drops such a file again.
 */
interface DerivedFile {
  /** The field that refers to an object. */
  readonly reference: string;
  /** The field that names the file. */
  readonly field: string;
  derive(reference: Fields, owner: Fields): unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const SOURCE: readonly DerivedFile[] = [
  {
    reference: 'configMapRef',
    field: 'file',
    derive: (_, { name }) => ({ path: sourceFile(text(name), 'registry.json') }),
  },
  {
    reference: 'pvcRef',
    field: 'file',
    derive: ({ path }, { name }) => ({ path: sourceFile(text(name), text(path)) }),
  },
];

const inSecret = ({ name, key }: Fields) => secretFile({ name: text(name), key: text(key) });
const inConfigMap = ({ name, key }: Fields) => certificateFile({ name: text(name), key: text(key) });

const GIT_AUTH: readonly DerivedFile[] = [{ reference: 'passwordSecretRef', field: 'passwordFile', derive: inSecret }];

const PROVIDER: readonly DerivedFile[] = [
  { reference: 'clientSecretRef', field: 'clientSecretFile', derive: inSecret },
  { reference: 'caCertRef', field: 'caCertPath', derive: inConfigMap },
  { reference: 'authTokenRef', field: 'authTokenFile', derive: inSecret },
];

/** A file that is named already wins. */
function add(files: readonly DerivedFile[], owner: Fields): Fields {
  const missing = files.filter(({ reference, field }) => isFields(owner[reference]) && owner[field] === undefined);
  const derived = missing.map(({ reference, field, derive }) => [field, derive(owner[reference] as Fields, owner)]);
  return { ...owner, ...Object.fromEntries(derived) };
}

function drop(files: readonly DerivedFile[], owner: Fields): Fields {
  const kept: Record<string, unknown> = { ...owner };
  for (const { reference, field, derive } of files) {
    const referred = owner[reference];
    if (isFields(referred) && isDeepStrictEqual(owner[field], derive(referred, owner))) delete kept[field];
  }
  return kept;
}

/** Both ways work on whatever they find: it is not known to be a source yet. */
const onSource = (change: typeof add) => (source: unknown) => {
  if (!isFields(source)) return source;
  const { git } = source;
  const changed = isFields(git) && isFields(git['auth']) ? { ...git, auth: change(GIT_AUTH, git['auth']) } : git;
  return change(SOURCE, { ...source, ...(git !== undefined && { git: changed }) });
};

const onAuth = (change: typeof add) => (auth: unknown) => {
  if (!isFields(auth) || !isFields(auth['oauth']) || !Array.isArray(auth['oauth']['providers'])) return auth;
  const providers = auth['oauth']['providers'].map((each) => (isFields(each) ? change(PROVIDER, each) : each));
  return { ...auth, oauth: { ...auth['oauth'], providers } };
};

export const addSourceFiles = onSource(add);
export const dropSourceFiles = onSource(drop);
export const addAuthFiles = onAuth(add);
export const dropAuthFiles = onAuth(drop);

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Leaves values that are not text to the schema, which reports them. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
