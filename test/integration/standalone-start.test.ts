import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SyncOutcome } from '#domain/sync.js';
import { eventually } from '#support/eventually.js';
import { rawRequest } from '#support/raw-request.js';
import { listServers, StandalonePlace } from '#support/standalone-process.js';
import type { ShippedProcess } from '#support/shipped-process.js';

/** The sample, with the URL of its git source rewritten to an address where nothing listens. */
const SAMPLE = { args: [], env: { SOURCE_URL_REWRITES: 'https://github.com/=http://127.0.0.1:1/' } };

/**
 * Returns the outcomes of all syncs, including those that ended before "ready", which the console does not report
 * separately.
 */
async function loggedRuns(place: StandalonePlace): Promise<SyncOutcome[]> {
  const log = await readFile(join(place.data, 'logs', 'standalone.log'), 'utf8');
  const lines = log.split('\n').slice(0, -1);
  return lines.flatMap((line) => (JSON.parse(line) as { outcome?: SyncOutcome }).outcome ?? []);
}

describe('the first start, of the sample', () => {
  let place: StandalonePlace;
  let running: ShippedProcess;
  /** Occupies the port that Temporal would get. */
  const squatter = createServer();

  beforeAll(async () => {
    place = await StandalonePlace.create();
    squatter.listen(place.ports.temporal, '127.0.0.1');
    await once(squatter, 'listening');
    running = place.start(SAMPLE);
    await running.ready();
  });

  afterAll(async () => {
    await running?.end();
    await place?.[Symbol.asyncDispose]();
    squatter.close();
  });

  it('ends with a table of the sources and with the URLs of API and Temporal', async () => {
    const { url } = place;
    const lines = running.stdout.trim().split('\n');
    expect(lines[0]).toBe(`Console ${url}/`);
    expect(lines[2]).toMatch(/^REGISTRY +SOURCE +PHASE +SERVERS +NEXT SYNC +URL$/);
    expect(lines).toContain(`ready ${url}`);
    // Startup waits at most fifteen seconds for a source. A sync that takes longer is reported later, on its own line.
    const told = (source: string, inTable: string, later: string) => {
      const row = `default/quickstart +${source} +${inTable} +${url}/registry/${source}/v0\\.1/servers`;
      return running.said(new RegExp(`^(${row}|\\S+ default/quickstart ${source} \\(\\w+\\): ${later}.*)$`, 'm'));
    };
    await told('builtin', 'Complete +10 +on change', '10 servers ');
    await told('toolhive', 'Failed +- +\\d\\d:\\d\\d:\\d\\d', 'failed');
    await running.said(/^.*default\/quickstart toolhive.*: Unreachable: .*github\.com.*$/m);
    expect(running.stderr).not.toMatch(/error|warn|\n {4}at /i);
  });

  it('uses the next free port for Temporal if the preferred one is busy, and reports it', async () => {
    const [, ui, port] = await running.said(/^Temporal UI (http:\S+) \(server 127\.0\.0\.1:(\d+)\)$/m);
    expect(Number(port)).toBeGreaterThan(place.ports.temporal);
    expect((await fetch(ui as string)).status).toBe(200);
  });

  it('serves the registry at its own URL and, as the first one, at /', async () => {
    const { url } = place;
    for (const base of ['/registry/builtin', '/default/quickstart/registry/builtin']) {
      await expect.poll(() => listServers(`${url}${base}`), { message: base }).toHaveLength(10);
    }
    // One of the sources has never been synced, so lists that would contain it are unavailable.
    for (const base of ['', '/default/quickstart', '/registry/toolhive']) {
      expect((await fetch(`${url}${base}/v0.1/servers`)).status).toBe(503);
    }
    expect((await fetch(`${url}/registry/nope/v0.1/servers`)).status).toBe(404);
    const response = await fetch(`${url}/v0.1/servers`, { headers: { origin: 'https://app.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('answers probes on both ports', async () => {
    for (const port of [place.ports.api, place.ports.internal]) {
      const base = `http://localhost:${port}`;
      const get = async (path: string) => (await fetch(`${base}/${path}`)).json();
      await expect
        .poll(() => Promise.all(['health', 'readiness', 'version'].map(get)))
        .toEqual([
          { status: 'healthy' },
          // One of the sample's sources is public, and the test has no network.
          { status: 'ready', detail: expect.stringContaining('source "toolhive" of default/quickstart fails') },
          expect.objectContaining({ version: expect.stringMatching(/^\d+\.\d+\.\d+/), node_version: process.version }),
        ]);
    }
  });

  it('serves this machine only, and rejects the name of another host on every port', async () => {
    for (const port of [place.ports.api, place.ports.internal]) {
      const { status, body } = await rawRequest(`http://localhost:${port}`, '/health', [], 'GET', 'rebound.example');
      expect([status, body]).toEqual([421, expect.stringContaining('ALLOWED_HOSTS')]);
    }
  });
});

it('stops gracefully on Ctrl-C, and later starts serve what is stored', async () => {
  await using place = await StandalonePlace.create();
  const running = place.start(SAMPLE);
  await running.ready();
  await expect.poll(() => listServers(`${place.url}/registry/builtin`)).toHaveLength(10);

  // npm forwards the signal that the terminal has already sent.
  running.signal('SIGINT');
  running.signal('SIGINT');
  expect(await running.exited).toEqual({ code: 130, signal: null });
  expect(running.stderr.match(/^stopping$/gm)).toHaveLength(1);
  expect(await readFile(join(place.data, 'postgres.log'), 'utf8')).toContain('database system is shut down');
  await expect.poll(() => place.commands()).toEqual([]);
  await expect.poll(() => place.busyPorts()).toEqual([]);

  // Stored entries are served before anything is synced. Without Temporal, the address that does not respond is
  // reported.
  const silent = place.start({ ...SAMPLE, env: { ...SAMPLE.env, TEMPORAL_ADDRESS: '127.0.0.1:1' } });
  // The process waits ten seconds for Temporal. A slow machine may need as long before it serves anything.
  let exited = false;
  void silent.exited.then(() => (exited = true));
  const serving = await eventually(
    async () => (await listServers(`${place.url}/registry/builtin`)) ?? (exited || undefined),
  );
  if (serving !== true) expect(serving).toHaveLength(10);
  expect(await silent.exited).toEqual({ code: 1, signal: null });
  expect(silent.stderr).toMatch(/^error: TEMPORAL_ADDRESS: .*127\.0\.0\.1:1 .*unset it to use a local server$/m);
  expect(silent.stderr).not.toMatch(/\n {4}at /);
  await expect.poll(() => place.commands()).toEqual([]);

  // The identity of registries is kept, and nothing new is found.
  const records = await readFile(join(place.data, 'registries.json'), 'utf8');
  const again = place.start(SAMPLE);
  await again.ready();
  const found = await eventually(async () =>
    (await loggedRuns(place)).find(({ source, trigger }) => source === 'builtin' && trigger === 'start'),
  );
  expect(found.failure).toBeUndefined();
  expect(found.counts).toBeUndefined();
  expect(await readFile(join(place.data, 'registries.json'), 'utf8')).toBe(records);
  expect(await listServers(`${place.url}/registry/builtin`)).toHaveLength(10);
  expect(await again.stop()).toEqual({ code: 130, signal: null });
  await expect.poll(() => place.commands()).toEqual([]);
});
