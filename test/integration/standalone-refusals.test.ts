import { once } from 'node:events';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { DocumentStore } from '#standalone/documents/document-store.js';
import { lockDirectory } from '#subprocess/directory-lock.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import {
  canStartAs,
  configMap,
  configMapSource,
  manifestOf,
  mcpRegistry,
  NOBODY,
  StandalonePlace,
} from '#support/standalone-process.js';
import type { StartOptions } from '#support/standalone-process.js';

let place: StandalonePlace;
const listeners: Server[] = [];

beforeEach(async () => {
  const manifest = manifestOf(mcpRegistry('team', [configMapSource('cm')]), configMap('cm', toolhiveCatalogue(1)));
  place = await StandalonePlace.create({ manifest });
});

afterEach(async () => {
  for (const listener of listeners.splice(0)) listener.close();
  await place[Symbol.asyncDispose]();
});

/** Starts a server that accepts connections and sends nothing. */
async function listen(port = 0, host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(port, host);
  listeners.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/**
 * Starts a process that must fail and leave nothing behind. Returns the lines on standard error without progress
 * messages.
 */
async function refusal(options?: StartOptions): Promise<string[]> {
  const run = place.start(options);
  const { code } = await run.exited;
  expect(code, run.output).toBeGreaterThan(0);
  expect(code).toBeLessThan(128);
  expect(run.stdout).toBe('');
  await expect.poll(() => place.commands()).toEqual([]);
  const lines = run.stderr.trimEnd().split('\n');
  return lines.filter((line) => !/^\[(\d+m)?\d+s\] /.test(line));
}

it.each([
  { setting: 'PORT', port: () => place.ports.api },
  { setting: 'INTERNAL_PORT', port: () => place.ports.internal },
])('a busy $setting is reported with the remedy', async ({ setting, port }) => {
  await listen(port(), '0.0.0.0');
  expect(await refusal()).toEqual([
    `error: port ${port()} is in use; stop what listens there, or set ${setting} to a free port`,
  ]);
});

it('a file where the data directory should be', async () => {
  await writeFile(place.data, '');
  expect(await refusal()).toEqual([
    expect.stringContaining(`error: The data directory ${place.data} cannot be used: `),
  ]);
});

it.skipIf(!canStartAs(NOBODY))(
  'a data directory that this user may not write (needs root, who becomes nobody)',
  async () => {
    await chmod(place.directory, 0o755);
    const [line, ...more] = await refusal({ user: NOBODY });
    expect(line).toContain(`error: The data directory ${place.data} cannot be used: `);
    expect(line).toContain('must be writable for user 65534');
    expect(more).toEqual([]);
  },
);

it('a data directory that another process uses', async () => {
  const lock = await lockDirectory(place.data);
  try {
    expect(await refusal()).toEqual([
      `error: The data directory ${place.data} is in use by process ${process.pid}: ` +
        'stop that first, or set DATA_DIR to another directory',
    ]);
  } finally {
    await lock.release();
  }
});

it('an unavailable Temporal, while Postgres still starts', async () => {
  expect(await refusal({ env: { DEVSTACK_TEMPORAL: '/nope' } })).toEqual([
    expect.stringMatching(/^error: DEVSTACK_TEMPORAL names no usable temporal: .* Correct or unset it\.$/),
  ]);
  const left = await readdir(place.data);
  expect(['lock.json', 'postgres.json'].filter((name) => left.includes(name))).toEqual([]);
});

const databaseUrl = (port: number) => `postgresql://registry:topsecret@127.0.0.1:${port}/catalogue`;

it.each([
  { what: 'nobody listens', port: async () => 1 },
  { what: 'nobody answers', port: () => listen() },
])('a DATABASE_URL where $what, without its password', async ({ port }) => {
  const at = await port();
  const [line, ...more] = await refusal({ env: { DATABASE_URL: databaseUrl(at) } });
  expect(line).toMatch(
    /^error: DATABASE_URL: DatabaseUnreachable: cannot connect to database catalogue at 127\.0\.0\.1:\d+ as registry with sslMode prefer: /,
  );
  expect(line).toContain(`:${at} `);
  expect(line).toContain('or unset it to use the embedded Postgres');
  expect(line).not.toContain('topsecret');
  expect(more).toEqual([]);
});

it('every invalid setting, all at once', async () => {
  const env = { PORT: 'http', TEMPORAL_ADDRESS: 'https://temporal', MIN_SYNC_INTERVAL: 'often' };
  const lines = await refusal({ env });
  expect(lines.map((line) => line.split(': ', 2))).toEqual(Object.keys(env).map((name) => ['error', name]));
});

it('a missing manifest, also with existing data', async () => {
  const refused = { args: [place.manifest, 'nowhere.yaml'] };
  const lines = ['error: nowhere.yaml: does not exist: correct the path, or start without it'];
  expect(await refusal(refused)).toEqual(lines);
  await DocumentStore.open([place.manifest], place.data);
  expect(await refusal(refused)).toEqual(lines);
  expect(await place.start(refused).exited).toEqual({ code: 2, signal: null });
});

it('a namespace that Temporal does not have', async () => {
  const address = inject('temporalAddress');
  const env = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'nope' };
  expect(await refusal({ env })).toEqual([
    `error: TEMPORAL_NAMESPACE: the Temporal server at ${address} has no namespace nope: ` +
      'create it there, correct the name, or unset it to use "default"',
  ]);
});

it('a host that is not an address of this machine', async () => {
  expect(await refusal({ env: { HOST: 'foo.invalid' } })).toEqual([
    expect.stringMatching(
      /^error: HOST foo\.invalid is not an address of this machine \(\w+\): set HOST to 0\.0\.0\.0 or /,
    ),
  ]);
});

it('a missing template for Postgres', async () => {
  const [line, ...more] = await refusal({
    env: { POSTGRES_TEMPLATE: '/nope', TEMPORAL_ADDRESS: inject('temporalAddress') },
  });
  expect(line).toMatch(
    /^error: POSTGRES_TEMPLATE: \/nope cannot be used: .*No such file.*: correct it, or unset it to use initdb$/,
  );
  expect(more).toEqual([]);
});

it('every mistake in a manifest, with its line and field', async () => {
  await place.edit(`apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata:
  name: team
spec:
  auth:
    mode: nobody
  registries:
    - name: one
      git:
        repository: https://git.example/one.git
        path: data.yaml
    - name: two
      format: xml
      configMapRef:
        name: two
        key: registry.json
    - name: three
      git:
        repository: ftp://git.example/three.git
      syncPolicy:
        interval: soon
`);
  const [...lines] = await refusal();
  const mistakes = [
    [7, 'spec.auth.mode'],
    [12, 'spec.registries[0].git.path'],
    [14, 'spec.registries[1].format'],
    [20, 'spec.registries[2].git.repository'],
    [22, 'spec.registries[2].syncPolicy.interval'],
  ];
  for (const [line, field] of mistakes) {
    expect(lines).toContainEqual(expect.stringContaining(`error: ${place.manifest}:${line}: ${field}: `));
  }
  expect(lines).toHaveLength(mistakes.length + 1);
  expect(lines.at(-1)).toBe(`error: there is no usable MCPRegistry in ${place.manifest}`);
});
