import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { DEFAULT_MANIFEST } from '#environment/standalone-arguments.js';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import { DocumentStore } from './document-store.js';

const openQuickstart = () => openManifest(DEFAULT_MANIFEST);

async function openManifest(path: string): Promise<DocumentStore> {
  const data = await mkdtemp(join(tmpdir(), 'quickstart-'));
  onTestFinished(() => rm(data, { recursive: true }));
  return DocumentStore.open([path], data);
}

it('starts with one open registry: a catalogue that needs no network, and one from git', async () => {
  const store = await openQuickstart();
  expect(store.faults()).toEqual([]);
  expect(store.notices()).toEqual([]);
  const [quickstart] = store.registries();
  expect(quickstart!.ref).toMatchObject({ namespace: 'default', name: 'quickstart' });
  expect(parseRegistrySpec(quickstart!.spec)).toMatchObject({
    spec: {
      displayName: 'Quickstart',
      auth: { mode: 'anonymous' },
      registries: [
        { name: 'builtin', type: 'configMapRef', format: 'upstream' },
        { name: 'toolhive', type: 'git', format: 'upstream', intervalMs: 1_800_000 },
      ],
    },
  });
});

it('has no errors in any sample', async () => {
  const samples = (await readdir('deploy/samples')).filter((name) => name.endsWith('.yaml'));
  for (const sample of samples) {
    const store = await openManifest(join('deploy/samples', sample));
    expect(store.faults(), sample).toEqual([]);
  }
});

it('has a catalogue of valid server.json documents of the official registry', async () => {
  const store = await openQuickstart();
  const catalogue = JSON.parse(
    Buffer.from(await store.configMapKey('default', 'quickstart-catalogue', 'registry.json')).toString(),
  );
  expect(catalogue).toMatchObject({ version: '1.0.0', meta: { last_updated: expect.any(String) } });
  const { servers } = catalogue.data;
  expect(servers.length).toBeGreaterThanOrEqual(10);
  expect(new Set(servers.map(({ name }: { name: string }) => name)).size).toBe(servers.length);
  for (const server of servers) {
    expect(server.$schema).toBe('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json');
    expect(server.name).toMatch(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/);
    expect(server.description).toMatch(/^.{1,100}$/u);
    expect(server.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect([...(server.packages ?? []), ...(server.remotes ?? [])]).not.toEqual([]);
  }
});
