import { describe, expect, it } from 'vitest';
import type { RegistrySource } from '#spec/source-entry-spec.js';
import type { ResourceStore } from '#domain/resource-store.js';
import { InvalidSpec } from '#spec/sync-resources.js';
import type { SyncResources } from '#spec/sync-resources.js';
import { getWanted, planSource } from './plan.js';

/** A store with only the method that plans call: it returns the versions of ConfigMaps and Secrets. */
const store = (versions: Record<string, string>): ResourceStore =>
  ({
    referenceVersion: async (kind: string, _namespace: string, name: string) => versions[`${kind}/${name}`],
  }) as never;

const git: RegistrySource = {
  name: 'servers',
  type: 'git',
  spec: { repository: 'https://git.example/a.git', path: 'registry.json' },
  format: 'toolhive',
  intervalMs: 60_000,
};

const plan = (source: RegistrySource, versions: Record<string, string> = {}) =>
  planSource(source, 'default', store(versions), 10_000);

describe('the plan of a source', () => {
  it('contains its address and its interval, but the spec only as a hash', async () => {
    const planned = await plan(git);
    expect(planned).toMatchObject({
      name: 'servers',
      type: 'git',
      address: 'https://git.example/a.git',
      intervalMs: 60_000,
    });
    expect(JSON.stringify(planned)).not.toContain('registry.json');
  });

  it('raises an interval below the minimum and reports that', async () => {
    expect(await plan({ ...git, intervalMs: 1_000 })).toMatchObject({
      intervalMs: 10_000,
      notice: {
        reason: 'IntervalClamped',
        message: 'syncs every 10s instead of every 1s: the site allows no shorter interval',
      },
    });
    expect((await plan(git)).notice).toBeUndefined();
  });

  it('changes only the hash of the part that was edited', async () => {
    const before = await plan(git);
    const moved = await plan({ ...git, spec: { ...(git.spec as object), branch: 'next' } });
    expect(moved.specHash).not.toBe(before.specHash);
    expect((await plan({ ...git, defaultNamespace: 'com.example' })).specHash).not.toBe(before.specHash);
    expect(moved.filterHash).toBe(before.filterHash);
    const filtered = await plan({ ...git, filter: { tags: { exclude: ['x'] } } });
    expect(filtered.specHash).toBe(before.specHash);
    expect(filtered.filterHash).not.toBe(before.filterHash);
    expect((await plan({ ...git, intervalMs: 90_000 })).specHash).toBe(before.specHash);
  });

  it('changes with the content of the ConfigMap that the source reads, even if it is missing', async () => {
    const source: RegistrySource = { ...git, type: 'configMapRef', spec: { name: 'data', key: 'registry.json' } };
    const hashes = await Promise.all(
      [{}, { 'ConfigMap/data': '1' }, { 'ConfigMap/data': '2' }, { 'ConfigMap/data': '2', 'Secret/data': '1' }].map(
        async (versions) => (await plan(source, versions)).referenceHash,
      ),
    );
    expect(new Set(hashes).size).toBe(3);
    expect(hashes[2]).toBe(hashes[3]);
  });
});

describe('a registry read by a process that has an older version', () => {
  const registry = { namespace: 'default', name: 'team', uid: 'u' };
  const reading = (generation: number) =>
    getWanted(
      {
        findWanted: () => Promise.reject(new InvalidSpec('registries: is required', generation)),
      } as unknown as SyncResources,
      registry,
      3,
    );

  it('is waited for, even if the older spec is invalid', async () => {
    await expect(reading(2)).rejects.toMatchObject({ reason: 'ConfigurationPending', destiny: 'retry' });
  });

  it('has the errors of the expected version of the spec', async () => {
    await expect(reading(3)).rejects.toMatchObject({ reason: 'ValidationFailed', destiny: 'stop' });
  });
});
