import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '#support/eventually.js';
import { listServers, StandalonePlace } from '#support/standalone-process.js';
import type { ShippedProcess } from '#support/shipped-process.js';

/** The sample, with its git source led to where nobody listens. */
const SAMPLE = { args: [], env: { SOURCE_URL_REWRITES: 'https://github.com/=http://127.0.0.1:1/' } };

let place: StandalonePlace;
let running: ShippedProcess;
/** Sits on the port that Temporal should get. */
const squatter = createServer();

beforeAll(async () => {
  place = await StandalonePlace.create();
  squatter.listen(place.ports.temporal, '127.0.0.1');
  await once(squatter, 'listening');
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
  squatter.close();
});

describe('the first start, of the sample', () => {
  beforeAll(async () => {
    running = place.start(SAMPLE);
    await running.ready();
  });

  it('ends with a table of the sources and with the addresses of API and Temporal', () => {
    const { stdout } = running;
    const lines = stdout.trim().split('\n');
    const columns = lines.map((line) => line.split(/ {2,}/));
    const { url } = place;
    expect(columns[0]).toEqual(['REGISTRY', 'SOURCE', 'PHASE', 'SERVERS', 'NEXT SYNC', 'URL']);
    const builtin = [url, 'registry/builtin/v0.1/servers'].join('/');
    expect(columns[1]).toEqual(['default/quickstart', 'builtin', 'Complete', '10', 'on change', builtin]);
    const toolhive = [url, 'registry/toolhive/v0.1/servers'].join('/');
    const retryAt = expect.stringMatching(/^\d\d:\d\d:\d\d$/);
    expect(columns[2]).toEqual(['default/quickstart', 'toolhive', 'Failed', '-', retryAt, toolhive]);
    expect(stdout).toMatch(/^default\/quickstart toolhive: Unreachable: .*github\.com.*$/m);
    expect(lines.at(-1)).toBe(`ready ${url}`);
    expect(running.stderr).not.toMatch(/error|warn|\n {4}at /i);
  });

  it('takes the next free port for Temporal where the wanted one is busy, and says which', async () => {
    const [, ui, port] = await running.said(/^Temporal UI (http:\S+) \(server 127\.0\.0\.1:(\d+)\)$/m);
    expect(Number(port)).toBeGreaterThan(place.ports.temporal);
    expect((await fetch(ui as string)).status).toBe(200);
  });

  it('serves the registry at its own address and, being the first, at /', async () => {
    const { url } = place;
    for (const base of ['', '/registry/builtin', '/default/quickstart', '/default/quickstart/registry/builtin']) {
      expect(await listServers(`${url}${base}`), base).toHaveLength(10);
    }
    expect(await listServers(`${url}/registry/toolhive`)).toEqual([]);
    expect((await fetch(`${url}/registry/nope/v0.1/servers`)).status).toBe(404);
    const response = await fetch(`${url}/v0.1/servers`, { headers: { origin: 'https://app.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('answers probes on both ports', async () => {
    for (const port of [place.ports.api, place.ports.internal]) {
      const base = `http://localhost:${port}`;
      const answers = ['health', 'readiness', 'version'].map(async (path) => (await fetch(`${base}/${path}`)).json());
      expect(await Promise.all(answers)).toEqual([
        { status: 'healthy' },
        // One of the sample's sources is public, and here there is no network.
        { status: 'ready', detail: expect.stringContaining('source "toolhive" of default/quickstart, which fails') },
        expect.objectContaining({ version: expect.stringMatching(/^\d+\.\d+\.\d+/), node_version: process.version }),
      ]);
    }
  });

  it('ends on Ctrl-C in order, also when npm passes on the signal that the terminal has sent already', async () => {
    running.signal('SIGINT');
    running.signal('SIGINT');
    expect(await running.exited).toEqual({ code: 130, signal: null });
    expect(running.stderr.match(/^stopping$/gm)).toHaveLength(1);
    expect(await readFile(join(place.data, 'postgres.log'), 'utf8')).toContain('database system is shut down');
    expect(await place.commands()).toEqual([]);
    expect(await place.busyPorts()).toEqual([place.ports.temporal]);
  });
});

describe('a later start', () => {
  it('serves what is stored before anything is synced, and without Temporal tells which address is silent', async () => {
    const silent = place.start({ ...SAMPLE, env: { ...SAMPLE.env, TEMPORAL_ADDRESS: '127.0.0.1:1' } });
    const served = await eventually(() => listServers(`${place.url}/registry/builtin`));
    expect(served).toHaveLength(10);
    expect(await silent.exited).toEqual({ code: 1, signal: null });
    expect(silent.stderr).toMatch(/^error: TEMPORAL_ADDRESS: .*127\.0\.0\.1:1 .*unset it to use a local server$/m);
    expect(silent.stderr).not.toMatch(/\n {4}at /);
    expect(await place.commands()).toEqual([]);
  });

  it('keeps the identity of registries and finds nothing new', async () => {
    const records = await readFile(join(place.data, 'registries.json'), 'utf8');
    const again = place.start(SAMPLE);
    await again.ready();
    await again.said(/^\S+ default\/quickstart builtin \(start\): unchanged at \w+ in \S+$/m);
    expect(await readFile(join(place.data, 'registries.json'), 'utf8')).toBe(records);
    expect(await listServers(place.url)).toHaveLength(10);
    expect(await again.stop()).toEqual({ code: 130, signal: null });
    expect(await place.commands()).toEqual([]);
  });
});
