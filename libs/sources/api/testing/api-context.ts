import type { CatalogueEntry, QuarantinedEntry } from '#domain/catalogue-entry.js';
import { RegistryError } from '#domain/registry-error.js';
import type { ApiContext, ApiSettings } from '../api-context.js';
import { RefusedParameters } from '../refused-parameters.js';
import type { ApiPage } from '../../pages.js';

export interface TestApiContext extends ApiContext {
  readonly notes: string[];
  /** Maps `name/key` to the value. */
  readonly secrets: Map<string, string>;
}

/** Creates a context for reading an API in tests, with immediate retries. */
export function createApiContext(settings: Partial<ApiSettings> = {}, signal?: AbortSignal): TestApiContext {
  const notes: string[] = [];
  const secrets = new Map<string, string>();
  return {
    signal: signal ?? new AbortController().signal,
    progress: (note) => void notes.push(note),
    notes,
    secrets,
    references: {
      secretKey: async (name, key) => {
        const value = secrets.get(`${name}/${key}`);
        if (value === undefined) throw new RegistryError('SecretNotFound', `Secret ${name} is missing`);
        return Buffer.from(value);
      },
      configMapKey: async (name) => {
        throw new RegistryError('ConfigMapNotFound', `ConfigMap ${name} is missing`);
      },
      configMapKeys: async () => new Map(),
      serverObjects: async () => [],
    },
    refusals: new RefusedParameters(),
    settings: { version: '1.2.3', urlRewrites: [], retry: { firstMs: 1 }, ...settings },
  };
}

export interface Walked {
  readonly pages: ApiPage[];
  readonly entries: CatalogueEntry[];
  readonly quarantined: QuarantinedEntry[];
}

/** Reads all pages of a walk. */
export async function walkAll(walk: AsyncIterable<ApiPage>): Promise<Walked> {
  const walked: Walked = { pages: [], entries: [], quarantined: [] };
  for await (const page of walk) {
    walked.pages.push(page);
    for (const item of page.items) {
      if ('entry' in item) walked.entries.push(item.entry);
      else walked.quarantined.push(item.quarantined);
    }
  }
  return walked;
}
