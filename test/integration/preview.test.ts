import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { main as explainMain } from '#registry-api/remote/explain-main.js';
import { main as previewMain } from '#registry-api/remote/preview-main.js';
import { API_LIMITS } from '#registry-api/limits.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { eventually } from '#support/eventually.js';
import { RegistryWorld } from '#support/registry-world.js';
import { manifestOf } from '#support/standalone-process.js';
import { useWrittenOutput } from '#support/written-output.js';

const servers = [
  ...Array.from({ length: 12 }, (_, at) => `com.example/a${at}`),
  ...Array.from({ length: 3 }, (_, at) => `com.example/b${at}`),
].map((name) => ({ name, version: '1.0.0', description: `What ${name} is` }));
const other = [{ name: 'com.example/a0', version: '9.0.0', description: 'shadowed' }];

const file = (data: object[]) =>
  JSON.stringify({ version: '1.0.0', meta: { last_updated: '2026-11-30T00:00:00Z' }, data: { servers: data } });
const configMap = (name: string, data: object[]) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { 'registry.json': file(data) },
});
const registry = (filter?: object, more: readonly object[] = []) => ({
  apiVersion: 'toolhive.stacklok.dev/v1alpha1',
  kind: 'MCPRegistry',
  metadata: { name: 'team', namespace: 'default' },
  spec: {
    auth: { mode: 'anonymous' },
    registries: [
      {
        name: 'ours',
        format: 'upstream',
        configMapRef: { name: 'ours', key: 'registry.json' },
        ...(filter && { filter }),
      },
      { name: 'other', format: 'upstream', configMapRef: { name: 'other', key: 'registry.json' } },
      ...more,
    ],
  },
});
const manifests = (resource: object) => manifestOf(resource, configMap('ours', servers), configMap('other', other));
const EDITED = registry({ names: { exclude: ['com.example/a*'] } });

let world: RegistryWorld;
let api: RegistryApi;
let directory: string;
const written = useWrittenOutput();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'preview-'));
  world = await RegistryWorld.start({ temporalAddress: inject('temporalAddress'), manifests: manifests(registry()) });
  api = await world.serve();
  await Promise.all([world.nthRun('ours', 1), world.nthRun('other', 1)]);
  await eventually(async () => (await list()).length === 15 || undefined);
});

afterEach(() => {
  process.exitCode = undefined;
});

afterAll(async () => {
  await world?.stop();
  await rm(directory, { recursive: true, force: true });
});

const json = async (path: string) => (await fetch(`${api.url}${path}`)).json();
const list = async (): Promise<string[]> => {
  const response = await fetch(`${api.url}/v0.1/servers?limit=1000`);
  if (response.status !== 200) return [];
  const { servers: listed } = (await response.json()) as { servers: { server: { name: string; version: string } }[] };
  return listed.map(({ server: { name, version } }) => `${name}@${version}`);
};
const post = (body: string | object, type = 'application/json') =>
  fetch(`${api.url}/v1/registries/team/preview`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
interface Previewed {
  counts: object;
  changes: { name: string; version: string; change: string; by: string }[];
  unknown: object[];
}
const preview = async (body: object) => (await (await post(body)).json()) as Previewed;
/** Applies `EDITED` until the returned object is disposed of. */
const edited = async (): Promise<AsyncDisposable> => {
  const apply = async (resource: object, servers: number) => {
    await world.edit(manifests(resource));
    await eventually(async () => (await list()).length === servers || undefined);
  };
  await apply(EDITED, 4);
  return { [Symbol.asyncDispose]: () => apply(registry(), 15) };
};
const run = async (main: (args: string[]) => Promise<void>, ...args: string[]) => {
  await main(args);
  return Number(process.exitCode ?? 0);
};

describe('a preview', () => {
  it('is rejected with all errors, above its size, for unknown registries, and as a second one at a time', async () => {
    const faulty = await post({ auth: { mode: 'anonymous' }, registries: [{ name: 'x' }, { nam: 'y' }] });
    expect([faulty.status, await faulty.text()]).toEqual([
      422,
      expect.stringMatching(/registries\[0\].*registries\[1\]/),
    ]);
    expect((await post('a: &x 1\nb: *x\n', 'application/yaml')).status).toBe(400);
    expect((await post('a: [', 'application/yaml')).status).toBe(400);
    expect((await post(`{"pad":"${'x'.repeat(API_LIMITS.previewBytes)}"}`)).status).toBe(413);
    expect((await post(`pad: ${'x'.repeat(70_000)}`, 'application/yaml')).status).toBe(400);
    expect(
      (await fetch(`${api.url}/v1/registries/none/preview`, { method: 'POST', body: JSON.stringify(EDITED) })).status,
    ).toBe(404);
    const many = await Promise.all(Array.from({ length: 5 }, () => post(EDITED)));
    expect(new Set(many.map(({ status }) => status))).toEqual(new Set([200, 503]));
    expect(many.find(({ status }) => status === 503)?.headers.get('retry-after')).toBe('2');
  });

  it('without an edit has no difference, as a spec, a resource, JSON or YAML', async () => {
    const nothing = { added: 0, removed: 0, changed: 0, unchanged: 15 };
    expect(await preview(registry())).toEqual({ counts: nothing, changes: [], unknown: [], truncated: false });
    expect(await preview(registry().spec)).toMatchObject({ counts: nothing });
    const yaml = await post(manifestOf(registry()), 'application/yaml');
    expect(await yaml.json()).toMatchObject({ counts: nothing, unknown: [] });
  });

  it('lists sources whose content is not known', async () => {
    const git = { name: 'new', git: { repository: 'https://git.example.com/x.git', branch: 'main' } };
    expect((await preview(registry(undefined, [git]))).unknown).toEqual([
      { source: 'new', why: expect.stringContaining('first sync') },
    ]);
    const moved = JSON.stringify(registry()).replace('{"name":"other","key"', '{"name":"elsewhere","key"');
    expect((await preview(JSON.parse(moved) as object)).unknown).toEqual([
      { source: 'other', why: expect.stringContaining('location or format') },
    ]);
  });

  it('shows -12 for a new exclude, also on the command line, and applying it does exactly that', async () => {
    // One of the names exists in another source as well, which then serves it.
    const { counts, changes } = await preview(EDITED);
    expect(counts).toEqual({ added: 1, removed: 12, changed: 0, unchanged: 3 });
    const path = join(directory, 'edited.yaml');
    await writeFile(path, `${manifestOf(EDITED)}\n# ${'longer than the YAML that a registry takes '.repeat(500)}\n`);
    expect(await run(previewMain, api.url, path)).toBe(1);
    expect(written.stdout).toMatch(/^\+1 -12 ~0 \(3 unchanged\)\n/);
    expect(written.stdout).toContain('- com.example/a1@1.0.0 (ours): names.exclude: com.example/a*\n');
    written.stdout = '';
    expect(await run(previewMain, api.url, path, '--json')).toBe(1);
    expect(JSON.parse(written.stdout)).toMatchObject({ counts, changes });

    const before = await list();
    await using _edited = await edited();
    const after = await list();
    const keys = (change: string) =>
      changes.filter((each) => each.change === change).map(({ name, version }) => `${name}@${version}`);
    expect(before.filter((each) => !after.includes(each)).toSorted()).toEqual(keys('removed').toSorted());
    expect(after.filter((each) => !before.includes(each))).toEqual(keys('added'));
    for (const { name, version, change, by } of changes) {
      const { sources } = (await json(`/v1/registries/team/explain?name=${encodeURIComponent(name)}`)) as {
        sources: { versions: { version: string; verdict: string; by?: string }[] }[];
      };
      const found = sources.flatMap(({ versions }) => versions).find((each) => each.version === version);
      expect(found).toMatchObject(change === 'removed' ? { verdict: 'hidden', by } : { verdict: 'served' });
    }
    process.exitCode = undefined;
    expect(await run(previewMain, api.url, path)).toBe(0);
  });
});

describe('the command explain', () => {
  it('reports whether a server is served, with an exit code', async () => {
    await using _edited = await edited();
    expect(await run(explainMain, api.url, 'com.example/b0')).toBe(0);
    expect(written.stdout).toContain('com.example/b0 is served by ours: 1 version, the latest is 1.0.0\n');
    expect(await run(explainMain, api.url, 'com.example/a1@1.0.0')).toBe(1);
    expect(written.stdout).toContain('1.0.0: hidden (names.exclude: com.example/a*)');
    process.exitCode = undefined;
    expect(await run(explainMain, api.url, 'com.example/b0@7.0.0')).toBe(1);
    expect(written.stdout).toContain(
      'com.example/b0@7.0.0 is not served. Other versions are served by ours: 1 version',
    );
    expect(await run(explainMain, api.url, 'com.example/a0@9.0.0', '--json')).toBe(0);
  });

  it('distinguishes an invalid command line from a registry that does not respond', async () => {
    for (const [args, code, message] of [
      [[], 2, 'name a URL and a server'],
      [['ftp://x', 'a/b'], 2, 'not an http(s) URL'],
      [[api.url, 'a/b', '--nothing'], 2, '--nothing'],
      [['http://127.0.0.1:1', 'a/b'], 3, 'check the URL'],
      [[api.url, 'a/b', '--registry', 'none'], 3, 'status 404'],
    ] as const) {
      expect([args, await run(explainMain, ...args)]).toEqual([args, code]);
      expect(written.stderr).toContain(message);
      process.exitCode = undefined;
    }
    expect(await run(previewMain, api.url, join(directory, 'missing.yaml'))).toBe(3);
  });
});

it('rejects bodies beyond the memory for them before they are read, and serves others meanwhile', async () => {
  const { hostname, port } = new URL(api.url);
  const half = async () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/registries/team/preview HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${API_LIMITS.previewBytes}\r\n\r\n{`,
    );
    return socket;
  };
  const post = () => fetch(`${api.url}/v1/registries/team/preview`, { method: 'POST', body: JSON.stringify(EDITED) });
  const slots = API_LIMITS.bodyBytes.previews / API_LIMITS.previewBytes;
  const sockets: Socket[] = [];
  try {
    // The server closes a request that stays incomplete for too long, so each attempt opens new ones.
    const rejected = await eventually(async () => {
      sockets.push(...(await Promise.all(Array.from({ length: 4 * slots }, half))));
      const answer = await post();
      return answer.status === 503 ? answer : undefined;
    });
    expect(rejected.headers.get('retry-after')).toBe('2');
    expect((await fetch(`${api.url}/v0.1/servers`)).status).toBe(200);
    const search = await fetch(`${api.url}/search`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect(search.status).not.toBe(503);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await eventually(async () => (await post()).status === 200 || undefined);
});
