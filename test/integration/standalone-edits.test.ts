import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { eventually } from '#support/eventually.js';
import {
  configMap,
  configMapSource,
  listServers,
  manifestOf,
  mcpRegistry,
  StandalonePlace,
} from '#support/standalone-process.js';
import type { ShippedProcess } from '#support/shipped-process.js';

const DEAD = { name: 'dead', git: { repository: 'https://git.example/dead.git' } };
const first = (...sources: object[]) => mcpRegistry('first', [DEAD, configMapSource('three'), ...sources]);
const second = mcpRegistry('second', [configMapSource('five')], 'other');
const data = [
  configMap('three', toolhiveCatalogue(3)),
  configMap('four', toolhiveCatalogue(4)),
  configMap('five', toolhiveCatalogue(5), 'other'),
];

const MANIFEST = manifestOf(first(), second, ...data);

/** A git host that accepts connections and sends nothing. */
let host: Server;
let place: StandalonePlace;
let running: ShippedProcess;

beforeAll(async () => {
  host = createServer().listen(0, '127.0.0.1');
  await once(host, 'listening');
  place = await StandalonePlace.create({ manifest: MANIFEST });
  running = start(place);
  await running.ready();
});

function start(at: StandalonePlace): ShippedProcess {
  const { port } = host.address() as AddressInfo;
  const rewrites = `https://git.example=http://127.0.0.1:${port}`;
  return at.start({ env: { SOURCE_URL_REWRITES: rewrites, TEMPORAL_ADDRESS: inject('temporalAddress') } });
}

afterAll(async () => {
  await running?.end();
  await place[Symbol.asyncDispose]();
  host.close();
});

/** Waits until a URL lists the wanted number of servers. Null stands for a response that is not a list. */
const lists = (path: string, wanted: number | null) =>
  eventually(async () => {
    const listed = await listServers(`${place.url}${path}`);
    return (listed?.length ?? null) === wanted ? true : undefined;
  });

describe('a source whose host hangs', () => {
  it('delays neither the others nor the word ready, which says that it is still being tried', async () => {
    await lists('/registry/three', 3);
    expect(running.stdout).toMatch(/^default\/first +dead +Syncing +- +running /m);
    expect(running.stdout).toMatch(/^default\/first dead: still trying since \d\d:\d\d:\d\d$/m);
    expect(running.stderr).toMatch(/waiting for the first sync of source "dead" of default\/first/);
  });
});

describe('two registries in one file', () => {
  it('are served each at its own URL, and the first at /', async () => {
    await lists('/default/first/registry/three', 3);
    await lists('/other/second/registry/five', 5);
    await lists('/other/second', 5);
    await lists('/registry/three', 3);
    await lists('/registry/five', null);
    await lists('/default/second', null);
  });
});

describe('an edit of the file', () => {
  it('adds a source', async () => {
    await place.edit(manifestOf(first(configMapSource('four')), second, ...data));
    await lists('/registry/four', 4);
    await running.said(/^\S+ default\/first four \(initial\): 4 servers \(4 added\) at \w+ in \S+$/m);
  });

  it('with a mistake is reported with its line and field, and the previous version stays in effect', async () => {
    const faulty = { name: 'bad', git: { repository: 'https://git.example/bad.git', path: 'bad.yaml' } };
    await place.edit(manifestOf(first(faulty), second, ...data));
    const [message] = await running.said(/^error: .*bad\.yaml.*$/m);
    const line =
      manifestOf(first(faulty))
        .split('\n')
        .findIndex((text) => text.includes('bad.yaml')) + 1;
    expect(message).toContain(`error: ${place.manifest}:${line}: spec.registries[2].git.path: `);
    await lists('/registry/three', 3);
    await lists('/other/second', 5);
    await place.edit(MANIFEST);
    await running.said(/^the manifests have no errors any more$/m);
  });

  it('that removes a document deletes its registry', async () => {
    await place.edit(manifestOf(second, ...data));
    await lists('/default/first', null);
    await lists('', 5);
    await place.edit(MANIFEST);
    await lists('/registry/three', 3);
  });
});

it('stops on Ctrl-C while a git host is still silent', async () => {
  await using another = await StandalonePlace.create({ manifest: MANIFEST });
  const stopping = start(another);
  await stopping.ready();
  expect(await stopping.stop()).toEqual({ code: 130, signal: null });
  await expect.poll(() => another.commands()).toEqual([]);
});
