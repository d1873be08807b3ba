import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSpec } from '#activities/plan.js';
import { FAULTY_SPECS, SPECS_WITH_SECRETS } from '#spec/testing/faulty-specs.js';
import { DocumentStore } from '../documents/document-store.js';
import { ALIAS_BOMB, FAULTY_EDITS, FAULTY_SECRETS, REGISTRY } from '../documents/testing/faulty-manifests.js';
import { validateFiles } from './validate-files.js';

/** `validate` and the servers must find the same errors, with the same messages. These tests cover manifests. */
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'same-words-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const SPECS = [...FAULTY_SPECS.map(([spec]) => spec), ...SPECS_WITH_SECRETS.map(([, spec]) => spec)];

it.each(SPECS)('reports the same errors for spec %# as a server: %j', async (spec) => {
  const { apiVersion, kind } = { apiVersion: 'toolhive.stacklok.dev/v1alpha1', kind: 'MCPRegistry' };
  const text = JSON.stringify({ apiVersion, kind, metadata: { name: 'tools' }, spec });
  const server = readSpec({
    ref: { namespace: 'default', name: 'tools', uid: 'u' },
    spec: (JSON.parse(text) as { spec?: unknown }).spec,
  });
  const words = 'invalid' in server ? server.invalid : 'nothing';
  const { findings } = await validateFiles([await write('spec.json', text)]);
  const found = findings.map(({ field, message }) => [field, message].filter(Boolean).join(': '));
  for (const each of found) expect(words).toContain(each);
  // Compare without the order: the server reports errors in the order of its rules, `validate` in the order of lines.
  expect(found.join('; ')).toHaveLength(words.length);
});

const MANIFESTS = [
  ...FAULTY_EDITS.map(([good, bad]) => REGISTRY.replace(good, bad)),
  ...FAULTY_SECRETS,
  ALIAS_BOMB,
  `${REGISTRY}---\n${REGISTRY}`,
  Buffer.from(REGISTRY.replace('name: tools', 'name: "caf\u00e9"'), 'latin1'),
  Buffer.from(REGISTRY, 'utf16le'),
  Buffer.from(`\uFEFF${REGISTRY}`, 'utf16le'),
  Buffer.from([0x1f, 0x8b, 8, 0, 0]),
  `${REGISTRY}\0`,
];

it.each(MANIFESTS)('reports the same errors for manifest %# as standalone', async (content) => {
  const path = await write('manifest.yaml', content);
  const store = await DocumentStore.open([path], join(folder, 'data'));
  const { findings } = await validateFiles([path]);
  const faults = store.faults().map((fault) => ({ severity: 'error', ...fault }));
  expect(faults).not.toEqual([]);
  expect(findings).toEqual(faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)));
});
