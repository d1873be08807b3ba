import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { main } from './main.js';
import { validateFiles } from './validate-files.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'validate-'));
});

afterEach(() => rm(folder, { recursive: true }));

const SERVER = { name: 'com.example/good', description: 'Good', version: '1.0.0' };

const upstream = (...servers: object[]) =>
  JSON.stringify({ version: '1.0.0', meta: { last_updated: '2026-11-22T00:00:00Z' }, data: { servers } }, null, 1);

const registry = (source: string) => `apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata: { name: team }
spec:
  auth: { mode: anonymous }
  registries:
    - name: ours
      format: upstream
      ${source}
`;

const configMap = (catalogue: string) => `---
apiVersion: v1
kind: ConfigMap
metadata: { name: catalogue }
data:
  registry.json: |
    ${catalogue.replaceAll('\n', '\n    ')}
`;

/** Returns lines of YAML, each of which repeats the line before it nine times. */
const manyAliases = (lines: number) =>
  Array.from(
    { length: lines },
    (_, at) =>
      `b${at}: &b${at} [${Array(9)
        .fill(at === 0 ? '*a' : `*b${at - 1}`)
        .join(', ')}]`,
  ).join('\n');

/** Writes a file and returns the findings, without the path of the folder. */
async function findingsOf(name: string, content: string | Buffer) {
  await writeFile(join(folder, name), content);
  const { findings } = await validateFiles([folder]);
  return findings.map((finding) => ({ ...finding, file: finding.file.replace(`${folder}/`, '') }));
}

it('finds nothing in a valid catalogue', async () => {
  expect(await findingsOf('registry.json', upstream(SERVER))).toEqual([]);
});

it('reports line, field and remedy of each entry that a sync would quarantine', async () => {
  const bad = {
    ...SERVER,
    name: 'com.example/bad',
    packages: [{ registryType: 'npm', identifier: 'a', transport: { type: 'pigeon' } }],
  };
  const text = upstream(SERVER, bad, { ...SERVER, name: 'noslash' });
  const findings = await findingsOf('registry.json', text);
  const lineOf = (word: string) => text.split('\n').findIndex((line) => line.includes(word)) + 1;
  expect(findings).toMatchObject([
    {
      severity: 'error',
      file: 'registry.json',
      line: lineOf('pigeon'),
      field: expect.stringContaining('com.example/bad'),
    },
    { severity: 'error', file: 'registry.json', line: lineOf('noslash') },
  ]);
  expect(findings[0]?.field).toContain('packages[0].transport.type');
});

it.each([
  ['is cut off', '{"version": "1.0.0",\n', 2, 'not valid JSON'],
  ['is empty', '', undefined, 'is empty'],
  ['holds no servers', upstream(), undefined, 'holds no servers'],
  ['is a bare list', '[]', undefined, 'bare list'],
  ['is UTF-16', Buffer.from(`\ufeff${upstream(SERVER)}`, 'utf16le'), undefined, 'UTF-16'],
  ['is the configuration of a client', '{"mcpServers":{}}', undefined, 'mcpServers'],
])('reports a catalogue that %s', async (_, content, line, words) => {
  const [finding, ...others] = await findingsOf('registry.json', content);
  expect(others).toEqual([]);
  expect(finding?.line).toBe(line);
  expect(finding?.message).toContain(words);
});

it('recognizes ToolHive format', async () => {
  const servers = { github: { description: 'd', image: 'ghcr.io/x/y:1.0.0', transport: 'carrier' } };
  const text = JSON.stringify({ version: '1.0.0', last_updated: '2026-11-22T00:00:00Z', servers });
  const findings = await findingsOf('registry.json', text);
  expect(findings).not.toEqual([]);
  expect(findings.map(({ message }) => message).join()).not.toMatch(/not in format/);
});

it('reports all errors of a manifest with their lines', async () => {
  const findings = await findingsOf('team.yaml', registry('git: { repository: "ftp://x", brunch: main }'));
  expect(findings).toMatchObject([
    { severity: 'error', line: 9, field: 'spec.registries[0].git.repository' },
    { severity: 'error', line: 9, field: 'spec.registries[0].git.brunch' },
  ]);
});

it('checks the catalogue in a ConfigMap of the same files as a sync does', async () => {
  const source = 'configMapRef: { name: catalogue, key: registry.json }';
  const manifest = `${registry(source)}${configMap(upstream(SERVER, { ...SERVER, name: 'noslash' }))}`;
  expect(await findingsOf('team.yaml', manifest)).toMatchObject([
    { severity: 'error', file: 'team.yaml', field: expect.stringMatching(/ConfigMap catalogue, line \d+ .*noslash/) },
  ]);
});

it('notes a ConfigMap that is not among the files, and reports a missing key', async () => {
  const source = 'configMapRef: { name: catalogue, key: other.json }';
  expect(await findingsOf('team.yaml', registry(source))).toMatchObject([
    { severity: 'note', field: 'source ours', message: expect.stringContaining('not among the files') },
  ]);
  expect(await findingsOf('team.yaml', `${registry(source)}${configMap(upstream(SERVER))}`)).toMatchObject([
    { severity: 'error', message: expect.stringContaining('other.json') },
  ]);
});

it('checks a folder of files with one server each, and reports the file of an error', async () => {
  for (const [name, fields] of Object.entries({ good: SERVER, bad: { ...SERVER, name: 'com.example/b', title: 5 } })) {
    await mkdir(join(folder, 'servers', name), { recursive: true });
    await writeFile(join(folder, 'servers', name, 'server.json'), JSON.stringify(fields));
  }
  for (const path of [join(folder, 'servers'), join(folder, 'servers/*/server.json')]) {
    const { findings } = await validateFiles([], undefined, [path]);
    expect(findings).toMatchObject([
      { severity: 'error', file: path, field: expect.stringMatching(/servers\/bad\/server\.json: title/) },
    ]);
  }
  expect((await validateFiles([], 'upstream', [join(folder, 'absent/*')])).findings).toMatchObject([
    { severity: 'error', message: expect.stringContaining('does not exist') },
  ]);
});

it('checks all keys of a ConfigMap that is read without a key', async () => {
  const content = `${registry('configMapRef: { name: catalogue }')}${configMap('{"name":"com.example/a"}')}`;
  expect(await findingsOf('team.yaml', content)).toMatchObject([
    { severity: 'error', field: expect.stringContaining('registry.json') },
  ]);
});

it('reports a path that does not exist', async () => {
  const { findings } = await validateFiles([join(folder, 'absent')]);
  expect(findings).toMatchObject([{ severity: 'error', message: expect.stringContaining('does not exist') }]);
});

it('reports files that are not regular, without waiting for them', async () => {
  execFileSync('mkfifo', ['pipe.yaml', 'pipe.json'], { cwd: folder });
  await symlink('loop.yaml', join(folder, 'loop.yaml'));
  await symlink('nowhere', join(folder, 'dangling.json'));
  await symlink('.', join(folder, 'self.json'));
  await mkdir(join(folder, 'folder.yaml'));
  const { findings } = await validateFiles([folder]);
  expect(findings.map(({ file, message }) => `${file.replace(`${folder}/`, '')} ${message}`)).toEqual([
    expect.stringMatching(/^dangling.json does not exist/),
    expect.stringMatching(/^folder.yaml is not a regular file/),
    expect.stringMatching(/^loop.yaml is a broken link/),
    expect.stringMatching(/^pipe.json is not a regular file/),
    expect.stringMatching(/^pipe.yaml is not a regular file/),
    expect.stringMatching(/^self.json is not a regular file/),
  ]);
});

it.each(['', '# nothing\n---\n---\n', 'null\n'])('notes a manifest file without an object: %j', async (content) => {
  expect(await findingsOf('registry.yaml', content)).toEqual([
    { severity: 'note', file: 'registry.yaml', message: 'holds no object, so there was nothing to check' },
  ]);
});

it.each([
  ['too many aliases', `a: &a [x]\n${manyAliases(9)}`, 'repeats its parts by too many aliases'],
  ['an alias without anchor', 'kind: *missing\n', 'cannot be resolved'],
  ['a nest without bottom', `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`, 'nested too deeply'],
])('reports %s once, with what it is', async (_, content, message) => {
  expect(await findingsOf('registry.yaml', content)).toEqual([
    expect.objectContaining({ severity: 'error', line: 1, message: expect.stringContaining(message) }),
  ]);
});

it('prints only findings for keys that are not strings', async () => {
  const warn = vi.spyOn(process, 'emitWarning');
  const text = `${registry('configMapRef: { name: c, key: k }')}  ? [a, b]\n  : y\n`;
  expect(await findingsOf('registry.yaml', text)).toMatchObject([{ severity: 'error' }]);
  expect(warn).not.toHaveBeenCalled();
});

it('reports a directory without files, such as a mistyped path', async () => {
  await writeFile(join(folder, 'README.md'), '');
  const { files, findings } = await validateFiles([folder]);
  expect(files).toBe(0);
  expect(findings).toMatchObject([
    { severity: 'error', file: folder, message: expect.stringContaining('has no *.yaml') },
  ]);
});

it('treats a file as a catalogue although one of its entries has a field of Kubernetes objects', async () => {
  const odd = { ...SERVER, _meta: { 'com.example': { kind: 'Deployment', apiVersion: 'v1' } } };
  expect(await findingsOf('registry.json', upstream(odd))).toEqual([]);
});

it('treats a file as a manifest although its kind comes after its data', async () => {
  const data = { a: '"x": {'.repeat(2_000) };
  const text = JSON.stringify({ metadata: { name: 'a' }, data, kind: 'ConfigMap', apiVersion: 'v1' });
  expect(await findingsOf('cm.json', text)).toEqual([]);
});

it('reports manifests that are not UTF-8 or are too large, in one line each', async () => {
  await writeFile(join(folder, 'large.yaml'), 'x'.repeat(33 * 2 ** 20));
  expect(await findingsOf('latin.yaml', Buffer.from('kind: caf\u00e9', 'latin1'))).toMatchObject([
    { file: 'large.yaml', message: expect.stringContaining('32 MiB') },
    { file: 'latin.yaml', message: expect.stringContaining('not UTF-8') },
  ]);
});

it('reads a catalogue of 50 MB', async () => {
  const servers = Array.from({ length: 50_000 }, (_, at) => ({
    ...SERVER,
    name: `com.example/s${at}`,
    description: 'd'.repeat(900),
  }));
  expect(await findingsOf('registry.json', upstream(...servers))).toEqual([]);
});

it.each([
  [[], 2],
  [['--format', 'xml', 'a.json'], 2],
  [['--nonsense'], 2],
  [['-'], 2],
  [['--json', 'deploy/samples'], undefined],
  [['package.json'], 1],
])('exits with the exit code of %j', async (args, code) => {
  const written: string[] = [];
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  const streams = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
  for (const stream of streams) stream.mockImplementation(write);
  try {
    await main(args);
    expect(process.exitCode).toBe(code);
    expect(written.join('')).not.toBe('');
  } finally {
    process.exitCode = undefined;
    for (const stream of streams) stream.mockRestore();
  }
});
