import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '#support/eventually.js';
import { manifestOf, mcpRegistry, StandalonePlace } from '#support/standalone-process.js';
import type { ShippedProcess } from '#support/shipped-process.js';

const SOURCE = { name: 'dead', git: { repository: 'https://git.example/dead.git' } };
const MANIFEST = manifestOf(mcpRegistry('team', [SOURCE]));

/** A git host that accepts connections and sends nothing. */
let host: Server;
let place: StandalonePlace;
let running: ShippedProcess;

beforeAll(async () => {
  host = createServer().listen(0, '127.0.0.1');
  await once(host, 'listening');
});

afterAll(() => void host.close());

beforeEach(async () => {
  place = await StandalonePlace.create({ manifest: MANIFEST });
  const { port } = host.address() as AddressInfo;
  running = place.start({ env: { SOURCE_URL_REWRITES: `https://git.example=http://127.0.0.1:${port}` } });
});

afterEach(() => place[Symbol.asyncDispose]());

const exists = (name: string) =>
  eventually(
    () =>
      access(join(place.data, name)).then(
        () => true,
        () => undefined,
      ),
    10,
  );

const runs = (command: RegExp) =>
  eventually(async () => ((await place.commands()).some((line) => command.test(line)) ? true : undefined), 10);

const moments: Record<string, () => Promise<unknown>> = {
  'when it has hardly begun': () => exists('lock'),
  'while initdb runs': () => runs(/initdb.*--pgdata/),
  'while Temporal starts': () => exists('temporal.json'),
  'while Postgres starts': () => exists('postgres.json'),
  'while a git host is being waited for': () => runs(/git-remote-http/),
};

describe('Ctrl-C stops the process and all that it started', () => {
  it.each(Object.keys(moments))('%s', async (moment) => {
    await moments[moment]?.();
    expect(await running.stop()).toEqual({ code: 130, signal: null });
    expect(running.stderr).toMatch(/^stopping$/m);
    expect(running.output).not.toMatch(/error|\n {4}at /i);
    await expect.poll(() => place.commands()).toEqual([]);
    await expect.poll(() => place.busyPorts()).toEqual([]);
  });
});

it('exits at once at a second signal, also if a server does not stop by itself', async () => {
  await runs(/git-remote-http/);
  const { postgres } = await place.servers();
  process.kill(postgres, 'SIGSTOP');
  let exited = false;
  void running.exited.then(() => (exited = true));
  // Press Ctrl-C repeatedly, like an impatient person. The first signals count as one.
  await eventually(() => {
    running.signal('SIGINT');
    return exited || undefined;
  }, 100);
  expect(await running.exited).toEqual({ code: 130, signal: null });
  expect(await eventually(async () => ((await place.processes()).length === 0 ? true : undefined))).toBe(true);
});
