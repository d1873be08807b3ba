import { describe, expect, it } from 'vitest';
import { PUBLISHER_PROVIDED } from '#domain/publisher-blocks.js';
import { MAX_CHECKED } from './entry-fault.js';
import { readAll, server, toolhive, upstream } from '../testing/catalogue-file.js';
import { FAULTY_SERVERS, NPM as npm } from '../testing/faulty-catalogues.js';
import { SERVER_SCHEMA } from './server-json.js';

async function readOne(fields: Record<string, unknown>) {
  const { entries, quarantined } = await readAll(
    upstream(server({ name: 'com.example/good' }), server(fields)),
    'upstream',
  );
  return { entry: entries[1], fault: quarantined[0] };
}

describe('a name without a namespace', () => {
  const text =
    '{"version":"1.0.0","tools":[{"name":"a"}],"x":1.50,"9":12345678901234567890,"name":"jira","description":"\\u0041é"}';
  const read = (content: string, defaultNamespace?: string) =>
    readAll(JSON.stringify(upstream('?')).replace('"?"', content), 'upstream', { defaultNamespace });

  it('gets that of its source, with all other bytes unchanged', async () => {
    const { entries } = await read(text, 'org.example.tools');
    expect(entries[0]).toMatchObject({ key: 'jira', name: 'org.example.tools/jira' });
    expect(entries[0]?.serverJson).toBe(
      `{"$schema":"${SERVER_SCHEMA}",${text.slice(1).replace('"jira"', '"org.example.tools/jira"')}`,
    );
  });

  it('is quarantined without one, with the remedy', async () => {
    const { quarantined } = await read(`${JSON.stringify(server({ name: 'com.example/good' }))},${text}`);
    expect(quarantined).toEqual([
      expect.objectContaining({ key: 'jira', path: 'name', message: expect.stringMatching(/defaultNamespace/) }),
    ]);
  });

  it.each(['com.example/jira', 'a/b/c', '', 'two words'])('does not change %j, valid or not', async (name) => {
    const [plain, qualified] = await Promise.all(
      [undefined, 'com.example'].map((namespace) =>
        readAll(upstream(server({ name: 'com.example/good' }), server({ name })), 'upstream', {
          defaultNamespace: namespace,
        }),
      ),
    );
    expect(qualified?.entries.map((entry) => entry.name)).toEqual(plain?.entries.map((entry) => entry.name));
  });

  it('identifies its last valid version if it has another error', async () => {
    const good = JSON.stringify(server({ name: 'com.example/good' }));
    const { quarantined } = await read(`${good},${JSON.stringify(server({ name: 'maps', title: 5 }))}`, 'com.example');
    expect(quarantined).toMatchObject([{ name: 'com.example/maps', path: 'title' }]);
  });

  it('is a duplicate when another entry has it with that namespace', async () => {
    const both = [server({ name: 'maps' }), server({ name: 'com.example/maps' })];
    const { entries, quarantined } = await readAll(upstream(...both), 'upstream', { defaultNamespace: 'com.example' });
    expect(entries).toHaveLength(1);
    expect(quarantined[0]?.message).toContain('is a duplicate');
  });

  it('gets it in the format of ToolHive as well', async () => {
    const { entries } = await readAll(
      toolhive({ maps: { description: 'Maps', image: 'example/maps:1' } }),
      'toolhive',
      { defaultNamespace: 'com.example' },
    );
    expect(entries[0]).toMatchObject({ key: 'maps', name: 'com.example/maps' });
  });
});

describe('an upstream entry', () => {
  it('is quarantined if it has errors and too many fields to check; a valid one of that size is served', async () => {
    const many = Array.from({ length: MAX_CHECKED }, () => ({}));
    const { fault } = await readOne({ packages: many });
    expect(fault?.message).toContain(`more than ${MAX_CHECKED} fields and items`);
    expect((await readOne({ extra: many })).fault).toBeUndefined();
  });

  it('is served unchanged: order, numbers, escapes and unknown fields', async () => {
    const text =
      '{ "version" : "1.0.0",\n\t"x-number": 12345678901234567890, "name":"com.example/kept", "ratio": 1.50,' +
      ' "$schema": "https://example.com/older.json", "description": "a \\u0041 \\/ b  c", "z": {"10": [ ], "9": null } }';
    const { entries } = await readAll(JSON.stringify(upstream('?')).replace('"?"', text), 'upstream');
    expect(entries[0]?.serverJson).toBe(
      '{"version":"1.0.0","x-number":12345678901234567890,"name":"com.example/kept","ratio":1.50,' +
        '"$schema":"https://example.com/older.json","description":"a \\u0041 \\/ b  c","z":{"10":[],"9":null}}',
    );
  });

  it('gets the current schema if it has none', async () => {
    const { entry } = await readOne({});
    expect(entry?.serverJson).toBe(JSON.stringify({ $schema: SERVER_SCHEMA, ...server() }));
  });

  it('has its tags and status from the data of its publisher', async () => {
    const published = {
      'com.example': { any: { tags: ['a', 'b', 'a', 5], status: 'Deprecated' } },
      other: { x: { tags: ['c'] } },
    };
    const { entry } = await readOne({ _meta: { [PUBLISHER_PROVIDED]: published } });
    expect(entry).toMatchObject({ tags: ['a', 'b', 'c'], status: 'deprecated' });
  });

  it.each([
    ['a long description', { description: 'x'.repeat(500) }],
    ['a long title', { title: '😀'.repeat(300) }],
    ['an empty repository', { repository: {} }],
    ['a package type of tomorrow', { packages: [{ ...npm, registryType: 'cargo' }] }],
    [
      'a URL with variables',
      { remotes: [{ type: 'sse', url: '{scheme}://{host}/mcp', variables: { host: { default: 'x' } } }] },
    ],
    ['a positional argument without a value', { packages: [{ ...npm, packageArguments: [{ type: 'positional' }] }] }],
    ['a version that is no semantic one', { version: '2026.11-nightly+5 '.trim() }],
    ['a version of 255 characters beyond the BMP', { version: '😀'.repeat(255) }],
    ['unknown fields', { anything: { at: ['all'] } }],
    [
      'a status of its publisher that cannot become text',
      { _meta: { [PUBLISHER_PROVIDED]: { a: { b: { status: { toString: [] } } } } } },
    ],
  ])('is served with %s', async (_what, fields) => {
    const { entry, fault } = await readOne(fields);
    expect(fault).toBeUndefined();
    expect(JSON.parse(entry?.serverJson ?? '')).toMatchObject(fields);
  });

  it.each(FAULTY_SERVERS)('is quarantined at "%s" for %j', async (path, fields) => {
    const { entry, fault } = await readOne(fields);
    expect(entry).toBeUndefined();
    expect(fault?.path).toBe(path);
    expect(fault?.message).not.toBe('');
  });

  it('parses a version of dots and digits in linear time', async () => {
    const { fault } = await readOne({ version: `${'1.'.repeat(127)}!` });
    expect(fault).toBeUndefined();
  });
});
