import type { RegistryWorkflows } from '#operator/registry-workflows.js';
import type { KeptWorkflows } from '#registry-api/sync/store-keeper.js';
import type { DocumentStore } from './documents/document-store.js';

/**
 * Returns the workflows for the store keeper of a standalone server. Only workflows of registries with a document are
 * restarted.
 */
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
