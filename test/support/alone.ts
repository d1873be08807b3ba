import type { RegistryApiOptions } from '#registry-api/start-registry-api.js';

/** Options for an API without Secrets, ConfigMaps and workflows. */
export const ALONE: Pick<RegistryApiOptions, 'references' | 'syncNow'> = {
  references: {
    configMapKey: (_, name) => Promise.reject(new Error(`there is no ConfigMap ${name} here`)),
    secretKey: (_, name) => Promise.reject(new Error(`there is no Secret ${name} here`)),
  },
  syncNow: () => Promise.reject(new Error('there is no workflow here')),
};
