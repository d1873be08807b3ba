import type { RegistryWorkflows } from '#operator/registry-workflows.js';
import type { KeptWorkflows } from '#registry-api/sync/store-keeper.js';
import type { DocumentStore } from './documents/document-store.js';

/** Returns the workflows as the store keeper of a standalone server keeps them: those of documents that are there are restarted. */
export function keptWorkflows(
  workflows: RegistryWorkflows,
  documents: Pick<DocumentStore, 'findRegistry'>,
): KeptWorkflows {
  return {
    openStore: (registry, store) => workflows.openStore(registry, store),
    liveStores: (registry) => workflows.liveStores(registry),
    async revive(registry) {
      if (await documents.findRegistry(registry)) await workflows.revive(registry);
    },
  };
}
