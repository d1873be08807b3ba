import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { eventually } from '#support/eventually.js';
import { RegistryWorld } from '#support/registry-world.js';
import { at, entries, UpstreamRegistry } from '#support/upstream-registry.js';

let upstream: UpstreamRegistry;
let world: RegistryWorld;

beforeEach(async () => {
  upstream = new UpstreamRegistry();
});

afterEach(async () => {
  upstream.close();
  await world?.stop();
});

async function start(interval = '1h'): Promise<void> {
  const endpoint = await upstream.listen();
  world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    manifests: `
apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata: {name: mirror}
spec:
  auth: {mode: anonymous}
  registries:
    - name: upstream
      api: {endpoint: '${endpoint}/'}
      syncPolicy: {interval: ${interval}}
`,
  });
}

const stored = async () =>
  world.query<{ name: string; description: string; status: string; deleted: boolean; published: string }>(
    `SELECT name, description, status, deleted_at IS NOT NULL AS deleted, published_at::text AS published
       FROM entry ORDER BY name`,
  );

async function synced(): Promise<Awaited<ReturnType<RegistryWorld['nthRun']>>> {
  const before = world.runs.length;
  await world.workflows.syncNow(world.registry, 'upstream');
  return eventually(() => world.runs[before]?.outcome);
}

describe('a source that is read page by page', () => {
  it('is read whole at first, then asked for what changed, with what was taken back', async () => {
    upstream.entries = entries(35);
    await start();
    expect(await world.nthRun('upstream', 1)).toMatchObject({ counts: { served: 35, added: 35 } });
    expect((await stored())[0]?.published).toMatch(/^2026-01-01 00:00:00/);

    upstream.asked.length = 0;
    expect((await synced()).counts).toBeUndefined();
    expect(upstream.asked).toHaveLength(1);
    expect(upstream.asked[0]).toContain('limit=1&');

    upstream.entries[3] = { ...upstream.entries[3]!, updatedAt: at(100), description: 'Edited' };
    upstream.entries[4] = { ...upstream.entries[4]!, updatedAt: at(101), status: 'deleted' };
    upstream.entries[5] = { ...upstream.entries[5]!, updatedAt: at(102), status: 'deprecated' };
    upstream.entries.push({ name: 'a/new', updatedAt: at(103) });
    upstream.asked.length = 0;
    expect((await synced()).counts).toMatchObject({ served: 35, added: 1, updated: 2, removed: 1 });
    expect(upstream.asked.every((url) => url.includes('updated_since='))).toBe(true);
    const rows = await stored();
    expect(rows.find(({ name }) => name === 'a/003')).toMatchObject({ description: 'Edited', deleted: false });
    expect(rows.find(({ name }) => name === 'a/004')).toMatchObject({ deleted: true });
    expect(rows.find(({ name }) => name === 'a/005')).toMatchObject({ status: 'deprecated' });
  });

  it('goes on after the last page that is stored when a try fails half way', async () => {
    upstream.entries = entries(60);
    let broken = true;
    upstream.instead = (request, response) => {
      if (!broken || !request.url?.includes('cursor=40')) return false;
      response.destroy();
      return true;
    };
    await start();
    await eventually(() => upstream.asked.filter((url) => url.includes('cursor=40')).length >= 4 || undefined);
    expect(await stored()).toEqual([]);
    broken = false;
    expect(await world.nthRun('upstream', 1)).toMatchObject({ counts: { served: 60 } });
    expect(upstream.asked.filter((url) => url.includes('cursor=20'))).toHaveLength(1);
    expect(await world.query('SELECT * FROM staged_walk')).toEqual([]);
  });

  it('is a success with a warning when it is empty at first, and held back when it becomes so', async () => {
    await start();
    expect(await world.nthRun('upstream', 1)).toMatchObject({ warning: 'the source holds no servers' });
    upstream.entries = entries(3);
    expect((await synced()).counts).toMatchObject({ served: 3 });
    await world.query('UPDATE source SET swept_at = NULL');
    upstream.entries = [];
    expect(await synced()).toMatchObject({ failure: { reason: 'ShrinkGuard' } });
    expect(await stored()).toHaveLength(3);
    expect((await synced()).counts).toMatchObject({ served: 0, removed: 3 });
  });

  it.each([
    ['answers 500', (_: IncomingMessage, r: ServerResponse) => r.writeHead(500).end('oops'), 'FetchFailed'],
    [
      'answers HTML',
      (_: IncomingMessage, r: ServerResponse) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      'FormatMismatch',
    ],
    ['wants a login', (_: IncomingMessage, r: ServerResponse) => r.writeHead(401).end('{}'), 'AuthFailed'],
  ])('keeps what it had when it %s, and is mended by itself', async (_what, answer, reason) => {
    upstream.entries = entries(5);
    await start();
    await world.nthRun('upstream', 1);
    upstream.instead = (request, response) => (answer(request, response), true);
    expect(await synced()).toMatchObject({ failure: { reason } });
    expect(await stored()).toHaveLength(5);
    upstream.instead = undefined;
    expect((await synced()).failure).toBeUndefined();
  });
});
