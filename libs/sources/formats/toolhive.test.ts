import { describe, expect, it } from 'vitest';
import { readAll, toolhive } from '../testing/catalogue-file.js';
import { FAULTY_IMAGES } from '../testing/faulty-catalogues.js';
import { PUBLISHER_PROVIDED } from '#domain/publisher-blocks.js';
import { SERVER_SCHEMA } from './server-json.js';

async function convert(servers: object, remotes?: object) {
  const { entries, quarantined } = await readAll(toolhive(servers, remotes), 'toolhive');
  return {
    entries,
    quarantined,
    servers: entries.map(({ serverJson }) => JSON.parse(serverJson) as Record<string, unknown>),
  };
}

const minimal = {
  description: 'Searches',
  image: 'ghcr.io/example/search:1',
  status: 'Active',
  tier: 'Community',
  tools: ['a'],
};

describe('an invalid entry', () => {
  it('has the name under which it would be served, and the key of its map', async () => {
    const remote = { ...minimal, image: undefined, transport: 'sse' };
    const { quarantined } = await convert(
      {
        good: minimal,
        search: { ...minimal, image: undefined },
        other: { ...minimal, name: 'com.example/own', tools: 'none' },
      },
      { far: remote, ['k'.repeat(2_000)]: { ...remote, url: 'https://far.example/mcp' } },
    );
    expect(quarantined.map(({ key, name, path }) => [key.slice(0, 10), name?.slice(0, 40), path])).toEqual([
      ['search', 'io.github.stacklok/search', 'image'],
      ['other', 'com.example/own', 'tools'],
      ['far', 'io.github.stacklok/far', 'url'],
      ['kkkkkkkkkk', `io.github.stacklok/${'k'.repeat(21)}`, ''],
    ]);
  });

  it('has the default namespace of its source, and its description', async () => {
    const options = { defaultNamespace: 'com.example' };
    const { quarantined } = await readAll(
      toolhive({ good: minimal, search: { ...minimal, image: 5 } }),
      'toolhive',
      options,
    );
    expect(quarantined).toMatchObject([{ name: 'com.example/search', description: 'Searches' }]);
  });
});

describe('an image server', () => {
  it('becomes a server.json with one OCI package', async () => {
    const { entries } = await convert({
      'web-search': {
        ...minimal,
        transport: 'streamable-http',
        target_port: 8080,
        proxy_port: 9000,
        repository_url: 'https://gitlab.com/example/search',
        tags: ['web', 'search'],
        metadata: { stars: 12, pulls: 345, last_updated: '2026-01-01T00:00:00Z' },
        custom_metadata: { author: 'Example' },
        permissions: { network: { outbound: { insecure_allow_all: true } } },
        args: ['--fast'],
        provenance: { sigstore_url: 'tuf.example.com' },
        docker_tags: ['1', 'latest'],
        env_vars: [
          { name: 'TOKEN', description: 'API token', required: true, secret: true },
          { name: 'REGION', description: 'Where', required: false, default: 'eu' },
        ],
      },
    });
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({
      key: 'web-search',
      name: 'io.github.stacklok/web-search',
      version: '1.0.0',
      title: undefined,
      description: 'Searches',
      tags: ['web', 'search'],
      status: 'active',
    });
    expect(entries[0]?.serverJson).toBe(
      JSON.stringify({
        $schema: SERVER_SCHEMA,
        name: 'io.github.stacklok/web-search',
        description: 'Searches',
        repository: { url: 'https://gitlab.com/example/search', source: 'github' },
        version: '1.0.0',
        packages: [
          {
            registryType: 'oci',
            identifier: 'ghcr.io/example/search:1',
            transport: { type: 'streamable-http', url: 'http://localhost:8080' },
            packageArguments: [{ type: 'positional', value: '--fast' }],
            environmentVariables: [
              { name: 'TOKEN', description: 'API token', isRequired: true, isSecret: true },
              { name: 'REGION', description: 'Where', default: 'eu' },
            ],
          },
        ],
        _meta: {
          [PUBLISHER_PROVIDED]: {
            'io.github.stacklok': {
              'ghcr.io/example/search:1': {
                status: 'Active',
                tier: 'Community',
                tools: ['a'],
                tags: ['web', 'search'],
                metadata: { stars: 12, pulls: 345, last_updated: '2026-01-01T00:00:00Z' },
                custom_metadata: { author: 'Example' },
                permissions: { network: { outbound: { insecure_allow_all: true } } },
                args: ['--fast'],
                provenance: { sigstore_url: 'tuf.example.com' },
                docker_tags: ['1', 'latest'],
                proxy_port: 9000,
              },
            },
          },
        },
      }),
    );
  });

  it.each([
    [{}, { type: 'stdio' }],
    [{ transport: 'stdio', target_port: 80 }, { type: 'stdio' }],
    [{ transport: 'sse' }, { type: 'sse', url: 'http://localhost' }],
    [
      { transport: 'sse', target_port: 80 },
      { type: 'sse', url: 'http://localhost:80' },
    ],
  ])('with %j is reached by %j', async (fields, transport) => {
    const { servers } = await convert({ search: { ...minimal, ...fields } });
    expect(servers[0]).toMatchObject({ packages: [{ transport }] });
  });

  it('uses its own name as the title, too', async () => {
    const { entries, servers } = await convert({
      plain: { ...minimal, name: 'Search' },
      full: { ...minimal, name: 'com.example/search' },
    });
    expect(entries.map(({ key, name, title }) => [key, name, title])).toEqual([
      ['plain', 'io.github.stacklok/Search', 'Search'],
      ['full', 'com.example/search', 'com.example/search'],
    ]);
    expect(servers[0]).toMatchObject({ title: 'Search' });
  });

  it('omits empty values, but always has a status', async () => {
    const { servers } = await convert({
      search: {
        ...minimal,
        status: '',
        tier: '',
        tools: [],
        tags: [],
        env_vars: [],
        metadata: { stars: 0 },
        repository_url: '',
      },
    });
    expect(servers[0]).toEqual({
      $schema: SERVER_SCHEMA,
      name: 'io.github.stacklok/search',
      description: 'Searches',
      version: '1.0.0',
      packages: [{ registryType: 'oci', identifier: minimal.image, transport: { type: 'stdio' } }],
      _meta: { [PUBLISHER_PROVIDED]: { 'io.github.stacklok': { [minimal.image]: { status: 'active' } } } },
    });
  });

  it('keeps a long description and marks a deprecated entry', async () => {
    const { entries } = await convert({ search: { ...minimal, description: 'x'.repeat(400), status: 'Deprecated' } });
    expect(entries[0]).toMatchObject({ description: 'x'.repeat(400), status: 'deprecated' });
    expect(entries[0]?.serverJson).toContain('"status":"Deprecated"');
  });

  it.each(FAULTY_IMAGES)('is quarantined at %s for %j', async (path, fields) => {
    const { quarantined } = await convert({ good: minimal, bad: { ...minimal, ...fields } });
    expect(quarantined).toEqual([expect.objectContaining({ key: 'bad', path })]);
  });
});

describe('a remote server', () => {
  it('becomes a server.json with one remote', async () => {
    const env = [{ name: 'TOKEN', description: 'API token', required: true, secret: true }];
    const { servers } = await convert(
      { other: minimal },
      {
        far: {
          description: 'Far away',
          url: 'https://example.com/mcp',
          transport: 'streamable-http',
          status: 'Active',
          tier: 'Official',
          tools: ['a'],
          headers: [{ name: 'X-Region', description: 'Where', required: true, choices: ['eu', 'us'], default: 'eu' }],
          oauth_config: { issuer: 'https://example.com' },
          env_vars: env,
        },
      },
    );
    expect(servers[1]).toEqual({
      $schema: SERVER_SCHEMA,
      name: 'io.github.stacklok/far',
      description: 'Far away',
      version: '1.0.0',
      remotes: [
        {
          type: 'streamable-http',
          url: 'https://example.com/mcp',
          headers: [{ name: 'X-Region', description: 'Where', isRequired: true, default: 'eu', choices: ['eu', 'us'] }],
        },
      ],
      _meta: {
        [PUBLISHER_PROVIDED]: {
          'io.github.stacklok': {
            'https://example.com/mcp': {
              status: 'Active',
              tier: 'Official',
              tools: ['a'],
              oauth_config: { issuer: 'https://example.com' },
              env_vars: env,
            },
          },
        },
      },
    });
  });

  it('needs a URL and a transport for remotes', async () => {
    const { quarantined } = await convert(
      { good: minimal },
      {
        a: { description: 'x', url: 'ftp://x', transport: 'sse' },
        b: { description: 'x', url: 'https://x.example', transport: 'stdio' },
      },
    );
    expect(quarantined.map(({ key, path }) => [key, path])).toEqual([
      ['a', 'url'],
      ['b', 'transport'],
    ]);
  });
});

it('drops groups', async () => {
  const { entries } = await readAll(
    { ...toolhive({ a: minimal }), groups: [{ name: 'g', servers: { b: minimal } }] },
    'toolhive',
  );
  expect(entries.map(({ key }) => key)).toEqual(['a']);
});
