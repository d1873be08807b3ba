import { expect, it } from 'vitest';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';
import { heldRows } from './held-rows.js';

const row = (name: string, key: string, fields: object = {}) => ({
  name,
  key,
  version: '1.0.0',
  description: `About ${name}`,
  isMissing: true,
  ...fields,
});

const rows = [row('com.example/a', 'a.json'), row('com.example/b', 'b.json')];

const held = (key: string, fields: Partial<QuarantinedEntry> = {}): QuarantinedEntry => ({
  key,
  name: undefined,
  version: undefined,
  path: '',
  message: 'is faulty',
  ...fields,
});

const kept = (entry: QuarantinedEntry) => heldRows([entry], rows).map(({ name }) => name);

it('keeps every row for a list entry of which nothing can be read', () => {
  expect(kept(held('data.servers[0]'))).toEqual(['com.example/a', 'com.example/b']);
});

it.each<[string, Partial<QuarantinedEntry>]>([
  ['of which nothing can be read', {}],
  ['with a name that no row has', { name: 'compose' }],
  ['with the name and version of another row', { name: 'com.example/c', version: '1.0.0' }],
  ['with the name of another row', { name: 'com.example/c', version: '2.0.0' }],
  ['with the description of another row', { description: 'About com.example/c' }],
])('keeps only the row of its path for a file %s', (_, fields) => {
  const served = row('com.example/c', 'c.json', { isMissing: false });
  const found = (key: string) => heldRows([held(key, { isFile: true, ...fields })], [...rows, served]);
  expect(found('b.json').map(({ name }) => name)).toEqual(['com.example/b']);
  expect(found('renovate.json')).toEqual([]);
});

it('keeps the row of a moved and broken file, by its name or description', () => {
  expect(kept(held('new.json', { isFile: true, name: 'com.example/a' }))).toEqual(['com.example/a']);
  expect(kept(held('new.json', { isFile: true, description: 'About com.example/a' }))).toEqual(['com.example/a']);
});

it('keeps the row whose entry got the name and version of another one, by its description', () => {
  const served = row('com.example/c', 'c', { isMissing: false });
  const copy = held('com.example/c', {
    name: 'com.example/c',
    version: '1.0.0',
    description: 'About com.example/a',
  });
  expect(heldRows([copy], [...rows, served]).map(({ name }) => name)).toEqual(['com.example/a']);
});

it.each([
  ['the version of another with a fault', ['1.1.0', '1.1.0'], ['1.0.0', '1.1.0']],
  ['a new version and one without a version', ['1.1.0', undefined], ['1.0.0', '1.1.0']],
  ['one version with a fault', ['1.1.0'], ['1.1.0']],
])('keeps as many versions as entries may correspond to: %s', (_, found, expected) => {
  const versions = ['1.0.0', '1.1.0'].map((version) => row('com.example/a', 'a', { version, description: version }));
  const entries = found.map((version) => held('com.example/a', { name: 'com.example/a', version }));
  expect(
    heldRows(entries, versions)
      .map(({ version }) => version)
      .toSorted(),
  ).toEqual(expected);
});

it('keeps the row whose version was changed to that of a missing one with its name, by its description', () => {
  const versions = ['1.0.0', '1.1.0'].map((version) =>
    row('com.example/a', version, { version, description: `About ${version}` }),
  );
  const entry = held('data.servers[0]', { name: 'com.example/a', version: '1.1.0', description: 'About 1.0.0' });
  expect(heldRows([entry], versions).map(({ version }) => version)).toEqual(['1.1.0', '1.0.0']);
  const sure = { ...entry, description: 'About 1.1.0' };
  expect(heldRows([sure], versions).map(({ version }) => version)).toEqual(['1.1.0']);
});
