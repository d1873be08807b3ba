import { expect, it } from 'vitest';
import { watchedSources } from './watched-sources.js';

const secret = { name: 'database', key: 'password' };
const databaseConfig = { dbAppUserPasswordSecretRef: secret, dbMigrationUserPasswordSecretRef: secret };
const resource = (registries: object[]) => ({
  ref: { namespace: 'default', name: 'team', uid: 'u' },
  spec: { auth: { mode: 'anonymous' }, databaseConfig, registries },
});

it('watches manifests, but no volume or repository', () => {
  const registries = [
    { name: 'map', configMapRef: { name: 'm', key: 'registry.json' } },
    { name: 'volume', pvcRef: { claimName: 'data', path: 'registry.json' } },
    { name: 'git', git: { repository: 'https://git.example/x.git' } },
    { name: 'published', managed: {} },
  ];
  expect(watchedSources(resource(registries))).toEqual(new Set(['map', 'published']));
});

it('watches nothing for a spec that cannot be parsed', () => {
  expect(watchedSources(resource([{ name: 'odd' }]))).toEqual(new Set());
});
