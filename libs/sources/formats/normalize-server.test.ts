import { describe, expect, it } from 'vitest';
import { readAll, server, toolhive, upstream } from '../testing/catalogue-file.js';
import { SERVER_SCHEMA } from './server-json.js';
import { FORMER_SPELLINGS } from '../testing/faulty-catalogues.js';

async function servedOf(...servers: unknown[]): Promise<Record<string, unknown>[]> {
  const { entries, quarantined } = await readAll(upstream(...servers), 'upstream');
  expect(quarantined).toEqual([]);
  return entries.map(({ serverJson }) => JSON.parse(serverJson) as Record<string, unknown>);
}

const npm = { registryType: 'npm', identifier: 'x', version: '1.0.0', transport: { type: 'stdio' } };

describe('null for an optional field', () => {
  it('is dropped, at every depth', async () => {
    const [served] = await servedOf(
      server({
        title: null,
        websiteUrl: null,
        repository: null,
        _meta: null,
        remotes: [{ type: 'sse', url: 'https://a.example', headers: null }],
        packages: [
          {
            ...npm,
            runtimeHint: null,
            environmentVariables: [
              { name: 'A', default: null, variables: { x: { description: null, isSecret: true } } },
            ],
          },
        ],
      }),
    );
    expect(JSON.stringify(served)).not.toContain('null');
    expect(served).toMatchObject({
      packages: [{ identifier: 'x', environmentVariables: [{ name: 'A', variables: { x: { isSecret: true } } }] }],
    });
  });

  it.each([
    [{ title: null, icons: null, packages: [{ ...npm, version: null }] }, 3],
    [{ title: null, 'x-own': { a: null } }, 1],
    [{}, undefined],
  ])('is counted: %j', async (fields, count) => {
    const { entries } = await readAll(upstream(server(fields)), 'upstream');
    expect(entries.map(({ nullsDropped }) => nullsDropped)).toEqual([count]);
  });

  it('is dropped for the block of the publisher, and for nothing else in _meta', async () => {
    const _meta = { 'io.modelcontextprotocol.registry/publisher-provided': null, 'com.example/x': null };
    const { entries, quarantined } = await readAll(upstream(server({ _meta })), 'upstream');
    expect(quarantined).toEqual([]);
    expect(entries[0]?.nullsDropped).toBe(1);
    expect(JSON.parse(entries[0]?.serverJson ?? '')).toMatchObject({ _meta: { 'com.example/x': null } });
    expect(entries[0]?.serverJson).not.toContain('publisher-provided');
  });

  it('is kept in the data of the publisher', async () => {
    const [served] = await servedOf(
      server({ title: null, 'x-own': { a: null }, _meta: { 'com.example/x': { a: null } } }),
    );
    expect(served).toMatchObject({ 'x-own': { a: null }, _meta: { 'com.example/x': { a: null } } });
  });

  it('counts as absent in a catalogue of ToolHive, too', async () => {
    const entry = {
      description: 'd',
      image: 'a/b:1',
      transport: null,
      args: null,
      env_vars: null,
      repository_url: null,
    };
    const inside = {
      ...entry,
      env_vars: [{ name: 'A', description: null, default: null }],
      metadata: { stars: null },
      custom_metadata: { theirs: null },
    };
    const { entries, quarantined } = await readAll(toolhive({ one: entry, two: inside }), 'toolhive');
    expect(quarantined).toEqual([]);
    expect(entries.map(({ nullsDropped }) => nullsDropped)).toEqual([4, 6]);
    expect(entries.map(({ serverJson }) => serverJson).join()).not.toMatch(/null(?!})/);
  });
});

describe('an empty string for a field that may not be empty', () => {
  it('is dropped', async () => {
    const pack = { ...npm, fileSha256: '', registryBaseUrl: '', runtimeHint: '' };
    const [served] = await servedOf(server({ $schema: '', title: '', websiteUrl: '', packages: [pack] }));
    expect(served).toEqual({ ...server(), $schema: SERVER_SCHEMA, packages: [npm] });
  });

  it('is kept where it is a value', async () => {
    const packages = [{ ...npm, environmentVariables: [{ name: 'A', value: '', default: '', description: '' }] }];
    const [served] = await servedOf(server({ title: '', packages }));
    expect(served?.['packages']).toEqual(packages);
  });
});

it.each([[{ title: null }], [{ website_url: 'https://a.example', websiteUrl: 'https://b.example' }]])(
  'keeps the schema of an entry whose spellings are not changed: %j',
  async (fields) => {
    const $schema = 'https://static.modelcontextprotocol.io/schemas/2025-09-29/server.schema.json';
    const [served] = await servedOf(server({ $schema, ...fields }));
    expect(served).toMatchObject({ $schema });
  },
);

it('reads a server.json of July 2025', async () => {
  const [served] = await servedOf({
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-07-09/server.schema.json',
    name: 'com.example/old',
    description: 'Old',
    version: '1.0.0',
    website_url: 'https://example.com',
    packages: [
      {
        registry_type: 'npm',
        registry_base_url: 'https://registry.npmjs.org',
        identifier: '@a/b',
        version: '1.0.0',
        runtime_arguments: [{ type: 'positional', value_hint: 'dir', is_required: true }],
        environment_variables: [{ name: 'KEY', is_secret: true }],
      },
    ],
  });
  expect(served).toMatchObject({
    $schema: SERVER_SCHEMA,
    websiteUrl: 'https://example.com',
    packages: [
      {
        registryType: 'npm',
        registryBaseUrl: 'https://registry.npmjs.org',
        transport: { type: 'stdio' },
        runtimeArguments: [{ valueHint: 'dir', isRequired: true }],
        environmentVariables: [{ name: 'KEY', isSecret: true }],
      },
    ],
  });
});

describe('a fault', () => {
  const faultsOf = async (entry: unknown) => (await readAll(upstream(server(), entry), 'upstream')).quarantined[0];

  it('is reported with all others, at most ten', async () => {
    const broken = { ...npm, transport: { type: 'smoke' }, identifier: 5 };
    const few = await faultsOf(server({ name: 'a/few', title: 5, packages: [broken, { ...npm, registryType: '' }] }));
    expect(few?.path).toBe('title');
    for (const part of [
      'must be text',
      'packages[0].identifier',
      'packages[0].transport.type',
      'packages[1].registryType',
    ]) {
      expect(few?.message).toContain(part);
    }
    const many = await faultsOf(
      server({ name: 'a/many', packages: Array.from({ length: 15 }, () => ({ ...npm, identifier: 5 })) }),
    );
    expect(many?.message.split('; ')).toHaveLength(11);
    expect(many?.message).toContain('and 5 more');
  });

  it.each(FORMER_SPELLINGS)('reports the former spelling of a missing field: %j', async (fields, spelling) => {
    const quarantined = await faultsOf(server({ name: 'a/former', ...fields }));
    expect(quarantined?.message).toMatch(new RegExp(`^is missing.*\\(before July 2025 it was called ${spelling}\\)`));
  });
});
