import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegistryError } from '#domain/registry-error.js';
import type { ServerObject } from '#domain/server-object.js';
import type { SourceContext, SourceSettings } from '../context.js';

/** The context of a source in tests: real folders, and ConfigMaps and Secrets (`name/key` → content) from memory. */
export interface TestContext extends SourceContext, AsyncDisposable {
  readonly directory: string;
  /** Path for a download, in a folder that is removed with the context. */
  readonly target: string;
  readonly configMaps: Map<string, string | Uint8Array>;
  readonly secrets: Map<string, string>;
  readonly serverObjects: ServerObject[];
  readonly notes: string[];
  with(settings: Partial<SourceSettings>, signal?: AbortSignal): SourceContext;
}

export async function createSourceContext(settings: Partial<SourceSettings> = {}): Promise<TestContext> {
  const directory = await mkdtemp(join(tmpdir(), 'source-context-'));
  const configMaps = new Map<string, string | Uint8Array>();
  const secrets = new Map<string, string>();
  const serverObjects: ServerObject[] = [];
  const notes: string[] = [];
  const lookUp =
    (from: Map<string, string | Uint8Array>, kind: 'ConfigMap' | 'Secret') => async (name: string, key: string) => {
      const value = from.get(`${name}/${key}`);
      if (value !== undefined) return Buffer.from(value as string);
      const hasOthers = [...from.keys()].some((known) => known.startsWith(`${name}/`));
      throw new RegistryError(hasOthers ? 'KeyNotFound' : `${kind}NotFound`, `${kind} ${name} has no key ${key}.`);
    };
  const context: SourceContext = {
    signal: new AbortController().signal,
    namespace: 'default',
    references: {
      configMapKey: lookUp(configMaps, 'ConfigMap'),
      configMapKeys: async (name) =>
        new Map(
          [...configMaps].flatMap(([place, value]): [string, Uint8Array][] =>
            place.startsWith(`${name}/`) ? [[place.slice(name.length + 1), Buffer.from(value as string)]] : [],
          ),
        ),
      secretKey: lookUp(secrets, 'Secret'),
      serverObjects: async () => [...serverObjects],
    },
    cacheDirectory: join(directory, 'cache'),
    progress: (note) => void notes.push(note),
    settings: {
      urlRewrites: [],
      allowLocalGit: false,
      maxFileBytes: 10_000_000,
      fetchTimeoutMs: 30_000,
      volumes: new Map(),
      environment: process.env,
      ...settings,
    },
  };
  return {
    ...context,
    directory,
    target: join(directory, 'download.json'),
    configMaps,
    secrets,
    serverObjects,
    notes,
    with: (changed, signal = context.signal) => ({ ...context, signal, settings: { ...context.settings, ...changed } }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
