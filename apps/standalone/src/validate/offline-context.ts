import { RegistryError } from '#domain/registry-error.js';
import { FETCH_TIMEOUT_MS, MAX_FILE_BYTES } from '#sources/source.js';
import type { SourceContext } from '#sources/context.js';

/** Returns a context that contains only the given references and the files of this machine. */
export function offlineContext(
  cacheDirectory: string,
  namespace = 'default',
  references: Partial<SourceContext['references']> = {},
): SourceContext {
  const refuse = () => Promise.reject(new RegistryError('FetchFailed', 'only files and ConfigMaps are read offline'));
  return {
    signal: new AbortController().signal,
    namespace,
    references: {
      configMapKey: refuse,
      configMapKeys: refuse,
      secretKey: refuse,
      serverObjects: refuse,
      ...references,
    },
    cacheDirectory,
    progress: () => undefined,
    settings: {
      urlRewrites: [],
      allowLocalGit: false,
      maxFileBytes: MAX_FILE_BYTES,
      fetchTimeoutMs: FETCH_TIMEOUT_MS,
      volumes: new Map(),
    },
  };
}
