import { describe, expect, it } from 'vitest';
import { publisherBlocks, textsIn } from '#domain/publisher-blocks.js';
import { searchable } from '#domain/server-facets.js';
import type { SourceFormat } from '#domain/source-format.js';
import { fixturePath } from '#support/optional-fixture.js';
import { readAll, readFileFully, server, toolhive, upstream } from '../testing/catalogue-file.js';
import {
  FAULTY_TEXTS,
  FAULTY_VALUES,
  IMAGE as image,
  LACKING_DOCUMENTS,
  OTHER_DOCUMENTS,
  withValue,
} from '../testing/faulty-catalogues.js';
import { serverJsonSchema } from './server-json.js';

async function failureOf(
  content: unknown,
  format: SourceFormat,
  options = {},
): Promise<{ reason: string; message: string }> {
  const error: unknown = await readAll(content, format, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'RegistryError', destiny: 'wait' });
  return error as { reason: string; message: string };
}

describe('entries', () => {
  it('quarantines invalid ones and serves the rest', async () => {
    const { entries, quarantined } = await readAll(
      upstream(
        server(),
        server({ name: 'no-slash' }),
        server({
          name: 'com.example/other',
          packages: [{ registryType: 'npm', identifier: 'x', transport: { type: 'smoke' } }],
        }),
        5,
        server({ name: 'com.example/last' }),
      ),
      'upstream',
    );
    expect(entries.map(({ name }) => name)).toEqual(['com.example/search', 'com.example/last']);
    expect(quarantined).toEqual([
      expect.objectContaining({ key: 'no-slash', name: 'no-slash', version: '1.2.3', path: 'name' }),
      expect.objectContaining({
        key: 'com.example/other',
        path: 'packages[0].transport.type',
        message: 'must be one of stdio, sse, streamable-http',
      }),
      { key: 'data.servers[3]', name: undefined, version: undefined, path: '', message: 'must be an object' },
    ]);
  });

  it('keeps the first of two entries with the same name and version, and both of two versions', async () => {
    const { entries, quarantined } = await readAll(
      upstream(server({ title: 'first' }), server({ title: 'second' }), server({ version: '2.0.0' })),
      'upstream',
    );
    expect(entries.map(({ title, version }) => [title, version])).toEqual([
      ['first', '1.2.3'],
      [undefined, '2.0.0'],
    ]);
    expect(quarantined).toEqual([
      expect.objectContaining({ key: 'com.example/search', message: expect.stringContaining('is a duplicate') }),
    ]);
  });

  it('quarantines the later of two equal keys', async () => {
    const text = JSON.stringify(toolhive({ search: image, other: image })).replace('"other"', '"search"');
    const { entries, quarantined } = await readAll(text, 'toolhive');
    expect(entries).toHaveLength(1);
    expect(quarantined).toEqual([
      expect.objectContaining({ key: 'search', message: expect.stringContaining('is a duplicate') }),
    ]);
  });

  it.each(['servers first', 'remote_servers first'])(
    'prefers a server to a remote of the same name (%s)',
    async (order) => {
      const remote = { description: 'Remote', url: 'https://example.com/mcp', transport: 'sse' };
      const whole = toolhive({ search: image }, { search: remote, far: remote });
      const ordered = order === 'servers first' ? whole : { remote_servers: whole['remote_servers'], ...whole };
      const { entries, quarantined } = await readAll(ordered, 'toolhive');
      expect(entries.map(({ key, description }) => [key, description])).toEqual([
        ['search', 'Searches'],
        ['far', 'Remote'],
      ]);
      expect(quarantined).toEqual([
        expect.objectContaining({ key: 'search', message: expect.stringContaining('is a duplicate') }),
      ]);
    },
  );

  it.each(FAULTY_VALUES)('quarantines an entry with %s', async (_what, value, path, message) => {
    const { entries, quarantined } = await readAll(withValue(value), 'upstream');
    expect(entries).toHaveLength(1);
    expect(quarantined).toEqual([expect.objectContaining({ path, message: expect.stringContaining(message) })]);
  });

  it('quarantines an entry that is not UTF-8 and continues after it', async () => {
    const text = JSON.stringify(upstream(server({ title: 'caf\u00e9' }), server({ name: 'com.example/ascii' })));
    const { entries, quarantined } = await readAll(Buffer.from(text, 'latin1'), 'upstream');
    expect(entries.map(({ name }) => name)).toEqual(['com.example/ascii']);
    expect(quarantined).toEqual([expect.objectContaining({ message: expect.stringContaining('UTF-8') })]);
  });

  it('quarantines an entry that is too large or too deep', async () => {
    const deep = `${'['.repeat(70)}${']'.repeat(70)}`;
    const text = JSON.stringify(upstream(server(), server({ icons: 'x'.repeat(2_000) }), '?')).replace('"?"', deep);
    const { entries, quarantined } = await readAll(text, 'upstream', { maxEntryBytes: 1_000 });
    expect(entries).toHaveLength(1);
    expect(quarantined.map(({ message }) => message)).toEqual([
      'has more than 1000 bytes',
      'is nested deeper than 64 levels',
    ]);
  });

  it('quarantines a key that cannot be stored, even if its entry is valid', async () => {
    const { entries, quarantined } = await readAll(
      toolhive({
        'a\0b': { ...image, name: 'com.example/a' },
        ['k'.repeat(300)]: { ...image, name: 'com.example/b' },
        c: image,
      }),
      'toolhive',
    );
    expect(entries.map(({ key }) => key)).toEqual(['c']);
    expect(quarantined.map(({ key }) => key)).toEqual(['a\uFFFDb', `${'k'.repeat(254)}…`]);
  });

  it('accepts __proto__ and constructor as names', async () => {
    const text = JSON.stringify(toolhive({ '?': image, constructor: image })).replace('"?"', '"__proto__"');
    const { quarantined, entries } = await readAll(text, 'toolhive');
    expect(entries.map(({ name }) => name)).toEqual(['io.github.stacklok/__proto__', 'io.github.stacklok/constructor']);
    expect(quarantined).toEqual([]);

    const smuggled = JSON.stringify(upstream('?')).replace(
      '"?"',
      '{"__proto__":{"name":"com.example/x","version":"1"},"description":"d"}',
    );
    expect((await failureOf(smuggled, 'upstream')).message).toContain('name is missing');
    expect(({} as Record<string, unknown>)['name']).toBeUndefined();
  });

  it('reads the same regardless of how the file is split into blocks', async () => {
    const servers = Array.from({ length: 900 }, (_, index) =>
      server({ name: `com.example/s${index}`, description: `${'é😀\\"{[]}'.repeat(index % 97)}.` }),
    );
    const { entries, quarantined } = await readAll(JSON.stringify(upstream(...servers), null, 1), 'upstream');
    expect(quarantined).toEqual([]);
    expect(entries.map(({ serverJson }) => JSON.parse(serverJson) as unknown)).toEqual(
      servers.map((given) => ({ $schema: expect.any(String), ...given })),
    );
  });
});

describe('files', () => {
  it('accepts a byte order mark', async () => {
    expect((await readAll(`\uFEFF${JSON.stringify(upstream(server()))}`, 'upstream')).entries).toHaveLength(1);
  });

  it('reports where JSON becomes invalid, with the text around it', async () => {
    const text = JSON.stringify(upstream(server(), server({ name: 'com.example/é' })), null, 2);
    const broken = text.replace('"com.example/é",', '"com.example/é" oops,');
    const line = broken.slice(0, broken.indexOf('oops')).split('\n').length;
    const { reason, message } = await failureOf(broken, 'upstream');
    expect(reason).toBe('InvalidData');
    expect(message).toContain(`line ${line}, column 33`);
    expect(message).toContain('oops');
  });

  it.each(FAULTY_TEXTS)('reports the error of %j', async (content, words) => {
    for (const format of ['toolhive', 'upstream'] as const) {
      const { reason, message } = await failureOf(content, format);
      expect(reason).toBe('InvalidData');
      expect(message).toContain(words);
    }
  });

  it.each(OTHER_DOCUMENTS)('in format %s recognizes %j', async (format, content, words) => {
    const { reason, message } = await failureOf(content, format);
    expect(reason).toBe('FormatMismatch');
    expect(message).toContain(words);
  });

  it.each(LACKING_DOCUMENTS)('in format %s reports what is missing in %j', async (format, content, words) => {
    const { reason, message } = await failureOf(content, format);
    expect(reason).toBe('InvalidData');
    expect(message).toContain(words);
  });

  it('reports the first errors if no entry is valid', async () => {
    const bad = Array.from({ length: 5 }, (_, index) => server({ name: `bad${index}` }));
    const { reason, message } = await failureOf(upstream(...bad), 'upstream');
    expect(reason).toBe('InvalidData');
    expect(message).toContain('bad0: name must be');
    expect(message).toContain('bad2');
    expect(message).toContain('and 2 more');
  });

  it('rejects files, entries and fields beyond the limits', async () => {
    const two = upstream(server(), server({ version: '2.0.0' }));
    expect((await failureOf(two, 'upstream', { maxFileBytes: 50 })).message).toContain('50');
    expect((await failureOf(two, 'upstream', { maxEntries: 1 })).message).toContain('more than 1 entries');
    const many = { ...two, ...Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`f${index}`, 0])) };
    expect((await failureOf(many, 'upstream')).message).toContain('1000 fields');
  });

  it('survives endless brackets', async () => {
    const { message } = await failureOf(`{"data":{"servers":[${'['.repeat(3_000_000)}`, 'upstream');
    expect(message).toContain('ends too early');
  });
});

const REAL_CATALOGUE = fixturePath('catalogues/toolhive.json');

describe.skipIf(!REAL_CATALOGUE)('the public ToolHive catalogue (skipped where it is not kept)', () => {
  it('is read completely', async () => {
    const { entries, quarantined } = await readFileFully(REAL_CATALOGUE ?? '', 'toolhive');
    expect(quarantined).toEqual([]);
    expect(entries).toHaveLength(102);
    expect(new Set(entries.map(({ name }) => name)).size).toBe(102);
    for (const entry of entries) expect(serverJsonSchema.safeParse(JSON.parse(entry.serverJson)).success).toBe(true);
    expect(entries.filter(({ status }) => status === 'deprecated')).toHaveLength(1);
    // All tags, tools and package types of the catalogue are searchable.
    for (const { tags, serverJson } of entries) {
      expect(searchable(tags)).toEqual(tags);
      const tools = textsIn(publisherBlocks(JSON.parse(serverJson)), 'tools');
      expect(searchable(tools)).toEqual(tools);
    }
  });
});
