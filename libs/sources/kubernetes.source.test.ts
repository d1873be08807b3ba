import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import type { ServerObject } from '#domain/server-object.js';
import { kubernetesSource } from './kubernetes.source.js';
import { readFileFully } from './testing/catalogue-file.js';
import type { ReadResult } from './testing/catalogue-file.js';
import { createSourceContext } from './testing/source-context.js';
import type { TestContext } from './testing/source-context.js';

let context: TestContext;

beforeEach(async () => {
  context = await createSourceContext();
});

afterEach(() => context[Symbol.asyncDispose]());

const REQUIRED = {
  'registry-export': 'true',
  'registry-url': 'https://mcp.example.com',
  'registry-description': 'Tells',
};

const DEEP = `[{"name":"x","a":${'['.repeat(50_000)}${']'.repeat(50_000)}}]`;

/** Returns an exported object with the required annotations and those given. `undefined` leaves out an annotation. */
function object(
  name: string,
  annotations: Record<string, string | undefined> = {},
  fields: Partial<ServerObject> = {},
): ServerObject {
  const said = Object.entries({ ...REQUIRED, ...annotations }).flatMap(([key, value]) =>
    value === undefined ? [] : [[`toolhive.stacklok.dev/${key}`, value]],
  );
  const named = { kind: 'MCPServer', namespace: 'team', name, uid: `uid-of-${name}` };
  return { ...named, annotations: Object.fromEntries(said), spec: {}, ...fields };
}

async function read(...objects: ServerObject[]): Promise<ReadResult> {
  context.serverObjects.splice(0, Infinity, ...objects);
  await kubernetesSource.download({}, await kubernetesSource.resolve({}, context), context.target, context);
  return readFileFully(context.target, kubernetesSource.fileFormat!, { mayBeEmpty: true });
}

const jsonOf = ({ serverJson }: CatalogueEntry) => JSON.parse(serverJson);

/** Returns the entry of the object. Fails unless there is exactly one. */
async function entryOf(object: ServerObject) {
  const { entries, quarantined } = await read(object);
  expect(quarantined).toEqual([]);
  expect(entries).toHaveLength(1);
  return jsonOf(entries[0]!);
}

/** Returns the path and the message of the error in the object. */
async function faultOf(object: ServerObject): Promise<string> {
  const { entries, quarantined } = await read(object);
  expect(entries).toEqual([]);
  expect(quarantined).toMatchObject([{ key: 'com.toolhive.k8s.team/weather', version: undefined }]);
  return `${quarantined[0]!.path.replace('metadata.annotations', '')} ${quarantined[0]!.message}`;
}

describe('the entry of an MCP server in the cluster', () => {
  it('is made from its annotations, and contains its origin', async () => {
    const tool = { name: 'forecast', description: 'Tells the weather', inputSchema: { type: 'object' } };
    const annotations = {
      'registry-title': 'Weather',
      'registry-icon': 'https://example.com/icon.png',
      'registry-category': 'nature',
      'registry-version': '2.1.0',
      tools: '["forecast"]',
      'tool-definitions': JSON.stringify([tool]),
    };
    const spec = { image: 'example/weather:2', transport: 'stdio' };
    const { entries } = await read(object('weather', annotations, { spec }));
    expect(entries).toMatchObject([{ title: 'Weather', tags: ['nature'], status: 'active', version: '2.1.0' }]);
    expect(jsonOf(entries[0]!)).toEqual({
      $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
      name: 'com.toolhive.k8s.team/weather',
      title: 'Weather',
      description: 'Tells',
      version: '2.1.0',
      icons: [{ src: 'https://example.com/icon.png' }],
      remotes: [{ type: 'streamable-http', url: 'https://mcp.example.com' }],
      _meta: {
        'io.modelcontextprotocol.registry/publisher-provided': {
          'io.github.stacklok': {
            'https://mcp.example.com': {
              status: 'active',
              tools: ['forecast'],
              tags: ['nature'],
              tool_definitions: [tool],
              metadata: {
                kubernetes: {
                  kind: 'MCPServer',
                  namespace: 'team',
                  name: 'weather',
                  uid: 'uid-of-weather',
                  image: 'example/weather:2',
                  transport: 'stdio',
                },
              },
            },
          },
        },
      },
    });
  });

  it('requires only a URL and a description', async () => {
    const proxy = object('weather', {}, { kind: 'MCPRemoteProxy' });
    expect(await entryOf(proxy)).toMatchObject({ version: '1.0.0', description: 'Tells' });
    expect(await entryOf(object('weather', { tools: '[]', 'tool-definitions': '' }))).not.toHaveProperty('title');
  });

  it.each([
    ['an annotation', { 'registry-version': '1.0.0' }, 'example/weather', '1.0.0', undefined],
    ['the tag of its image', {}, 'example.com:5000/weather:v2.1', 'v2.1', undefined],
    ['a tag beside a digest', {}, `example/weather:3.0@sha256:${'a'.repeat(64)}`, '3.0', undefined],
    ['a blank annotation and a tag', { 'registry-version': ' ' }, 'weather:2026-11-30', '2026-11-30', undefined],
    ['a tag that moves', {}, 'example/weather:latest', '1.0.0', true],
    ['a tag without a digit', {}, 'example/weather:stable', '1.0.0', true],
    ['a digest alone', {}, `example/weather@sha256:${'a'.repeat(64)}`, '1.0.0', true],
    ['a port that is no tag', {}, 'example.com:5000/weather', '1.0.0', true],
    ['no image', {}, undefined, '1.0.0', true],
  ])('has a version, its own or a default one, by %s', async (_by, annotations, image, version, isVersionAssumed) => {
    const { entries } = await read(object('weather', annotations, { spec: image ? { image } : {} }));
    expect(entries.map((entry) => [entry.version, entry.isVersionAssumed])).toEqual([[version, isVersionAssumed]]);
  });

  it.each([
    ['a server over SSE', { transport: 'sse' }, 'sse'],
    ['a local server whose proxy speaks SSE', { transport: 'stdio', proxyMode: 'sse' }, 'sse'],
    ['a local server', { transport: 'stdio' }, 'streamable-http'],
    ['a server over HTTP', { transport: 'streamable-http', proxyMode: 'sse' }, 'streamable-http'],
    ['an object that does not say', {}, 'streamable-http'],
  ])('describes how to connect to %s', async (_what, spec, type) => {
    expect(await entryOf(object('weather', {}, { spec }))).toMatchObject({ remotes: [{ type }] });
  });
});

describe('an invalid object', () => {
  it.each([
    ['no URL', { 'registry-url': undefined }, 'registry-url"] is missing'],
    ['a URL without scheme', { 'registry-url': 'mcp.example.com' }, 'registry-url"] must be an http://'],
    ['a blank description', { 'registry-description': ' ' }, 'registry-description"] is missing'],
    ['a version that is none', { 'registry-version': 'latest' }, 'version must be one version'],
    ['tools as mere text', { tools: 'forecast, wind' }, 'tools"] must be a JSON list'],
    ['tools that are no text', { tools: '["a", 7]' }, 'tools"] has an error: [1] must be text'],
    ['tools as an object', { tools: '{"a":1}' }, 'tools"] must be a JSON list'],
    ['tools in broken JSON', { tools: '["a", nul]' }, 'tools"] must be a JSON list'],
    ['a NUL', { tools: String.raw`["\u0000"]` }, 'tools"] has an error: [0] holds a NUL'],
    ['a tool without name', { 'tool-definitions': '[{}]' }, 'tool-definitions"] has an error: [0].name is missing'],
    ['a name twice', { 'tool-definitions': '[{"name":"x","name":"y"}]' }, '[0] has a field of the same name twice'],
    ['brackets without end', { 'tool-definitions': DEEP }, 'tool-definitions"] has more than 56 levels'],
  ])('is reported with its annotation: %s', async (_what, annotations, fault) => {
    expect(await faultOf(object('weather', annotations))).toContain(fault);
  });

  it('does not prevent others from being listed, and of two with the same name the server is used', async () => {
    const { entries, quarantined } = await read(
      object('weather', { 'registry-description': 'in front of it' }, { kind: 'VirtualMCPServer' }),
      object('broken', { 'registry-url': undefined }),
      object('weather'),
      object('a'.repeat(200)),
    );
    expect(entries.map(({ name, description }) => [name, description])).toEqual([
      ['com.toolhive.k8s.team/weather', 'Tells'],
    ]);
    expect(quarantined.map(({ name, message }) => [name!.slice(0, 29), message.slice(0, 20)])).toEqual([
      ['com.toolhive.k8s.team/aaaaaaa', 'must have at most 20'],
      ['com.toolhive.k8s.team/broken', 'is missing: set it t'],
      ['com.toolhive.k8s.team/weather', 'is a duplicate: an e'],
    ]);
  });
});

describe('the objects in the cluster', () => {
  it('are listed only if their owner exports them with exactly this value', async () => {
    const { entries } = await read(
      object('a', { 'registry-export': undefined }),
      object('b', { 'registry-export': 'True' }),
      object('c', { 'registry-export': 'false' }),
      object('d'),
    );
    expect(entries.map(({ name }) => name)).toEqual(['com.toolhive.k8s.team/d']);
  });

  it('may be none', async () => {
    expect(await read()).toEqual({ entries: [], quarantined: [] });
  });

  it('have a new revision exactly when an entry may change', async () => {
    const revisionOf = async (...objects: ServerObject[]) => {
      context.serverObjects.splice(0, Infinity, ...objects);
      return (await kubernetesSource.resolve({}, context)).revision;
    };
    const [a, b] = [object('a'), object('b')];
    const first = await revisionOf(a, b);
    expect(await revisionOf(b, a, object('c', { 'registry-export': undefined }))).toBe(first);
    const noted = { ...a, annotations: { ...a.annotations, 'kubectl.kubernetes.io/last-applied-configuration': '{}' } };
    expect(await revisionOf(noted, b)).toBe(first);
    expect(await revisionOf(a)).not.toBe(first);
    expect(await revisionOf(a, object('b', { 'registry-title': 'B' }))).not.toBe(first);

    const before = await kubernetesSource.resolve({}, context);
    context.serverObjects.push(object('d'));
    await expect(kubernetesSource.download({}, before, context.target, context)).rejects.toMatchObject({
      destiny: 'retry',
    });
  });
});
