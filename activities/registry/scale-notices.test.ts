import { expect, it } from 'vitest';
import type { ServerSettings } from '../provision/desired/blueprint.js';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import { scaleNotices } from './scale-notices.js';

const source = { name: 's', git: { repository: 'https://git.example/c.git', path: 'c.json' } };
const secret = { name: 'passwords', key: 'p' };
const databaseConfig = {
  host: 'db',
  user: 'app',
  dbAppUserPasswordSecretRef: secret,
  database: 'registry',
  migrationUser: 'owner',
  dbMigrationUserPasswordSecretRef: secret,
};

function spec(extra: object) {
  const parsed = parseRegistrySpec({ registries: [source], auth: { mode: 'anonymous' }, ...extra });
  if (!('spec' in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.spec;
}

const scaled = (wantedReplicas?: number) => ({
  readyReplicas: 1,
  live: true,
  ...(wantedReplicas !== undefined && { wantedReplicas }),
});
const onDefault = { host: 'db' } as unknown as NonNullable<ServerSettings['defaultDatabase']>;

it('warns about a scaled server whose pods have separate data', () => {
  expect(scaleNotices(spec({}), {}, scaled(3))).toMatchObject([
    { reason: 'EphemeralStore', message: expect.stringContaining('3 pods') },
  ]);
});

it('reports nothing for one pod, or with a database', () => {
  expect(scaleNotices(spec({}), {}, scaled(1))).toEqual([]);
  expect(scaleNotices(spec({}), {}, scaled())).toEqual([]);
  expect(scaleNotices(spec({ databaseConfig }), {}, scaled(3))).toEqual([]);
  expect(scaleNotices(spec({}), { defaultDatabase: onDefault }, scaled(3))).toEqual([]);
});
