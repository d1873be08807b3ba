import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labelSelector } from '#domain/label-selector.js';
import type { TemporalEndpoint } from '#temporal/connect.js';
import { readTemporalPlaces } from './temporal-places.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'temporal-places-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function mount(directory: string, keys: Record<string, string>): Promise<void> {
  await mkdir(join(root, directory), { recursive: true });
  for (const [key, text] of Object.entries(keys)) await writeFile(join(root, directory, key), text);
}

const config = (...names: readonly string[]) => ({
  directory: join(root, 'own'),
  address: undefined,
  namespace: 'default',
  registryDirectory: join(root, 'registries'),
  groups: names.map((name) => ({ name, namespaceSelector: labelSelector.parse({ matchLabels: { team: name } }) })),
  groupsDirectory: join(root, 'groups'),
});

/** Reads the settings of each Temporal namespace, with the endpoint for its registries. */
const read = (...names: readonly string[]) =>
  readTemporalPlaces(config(...names), async (temporal) => ({ settings: { temporal } }) as never);

async function mountGroup(name: string, { operator = {}, registries = {} } = {}): Promise<void> {
  const common = { address: 'temporal:7233', namespace: name };
  await mount(`groups/${name}/operator`, { ...common, ...operator });
  await mount(`groups/${name}/registries`, { ...common, ...registries });
}

const heldBy = ({ provisioning }: { provisioning: { settings: { temporal: TemporalEndpoint } } }) =>
  provisioning.settings.temporal;

describe('the Temporal namespaces of an operator', () => {
  beforeEach(() => mount('own', { address: 'temporal:7233', namespace: 'default', apiKey: 'of the operator' }));

  it('are a single one without groups, and registries do not get the credentials of the operator', async () => {
    const places = await read();
    expect(places.temporalGroups).toEqual([]);
    expect(heldBy(places)).toEqual({ address: 'temporal:7233', namespace: 'default' });
  });

  it('give the registries of a group only the credentials of that group', async () => {
    await mountGroup('blue', { operator: { apiKey: 'of the operator' }, registries: { apiKey: 'of blue' } });
    await mountGroup('red', { operator: { apiKey: 'of the operator' }, registries: { apiKey: 'of red' } });
    const { temporalGroups } = await read('blue', 'red');
    expect(temporalGroups.map(heldBy)).toEqual(
      ['blue', 'red'].map((name) => ({ address: 'temporal:7233', namespace: name, apiKey: `of ${name}` })),
    );
    expect(temporalGroups.map(({ temporalNamespace }) => temporalNamespace)).toEqual(['blue', 'red']);
  });

  it('are rejected if groups share a Temporal namespace', async () => {
    await mountGroup('blue', { operator: { namespace: 'common' }, registries: { namespace: 'common' } });
    await mountGroup('red', { operator: { namespace: 'common' }, registries: { namespace: 'common' } });
    await mountGroup('green', { operator: { namespace: 'default' }, registries: { namespace: 'default' } });
    await expect(read('blue', 'red', 'green')).rejects.toThrow(
      /group red: namespace common at temporal:7233 is already that of group blue.*; .*group green: .* is already that of namespaces without a group/,
    );
  });

  it('are rejected if the operator and registries would use different ones, or if nothing is mounted', async () => {
    await mountGroup('blue', { registries: { namespace: 'other' } });
    await expect(read('blue', 'red')).rejects.toThrow(
      /group blue: the operator would use namespace blue and its registries other.*group red: .*must hold a Secret/,
    );
  });
});
