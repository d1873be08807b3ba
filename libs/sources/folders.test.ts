import { execFileSync } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { CatalogueEntry, QuarantinedEntry } from '#domain/catalogue-entry.js';
import { configMapSource } from './config-map.source.js';
import { fileSource } from './file.source.js';
import type { FileFormat } from './formats/layouts.js';
import { readCatalogue } from './formats/read-catalogue.js';
import { BUNDLE_LIMITS } from './files/bundle.js';
import { gitSource } from './git.source.js';
import { YAML_LIMIT } from './yaml/config-yaml.js';
import { pvcSource } from './pvc.source.js';
import type { SourceContext } from './context.js';
import type { FileSource } from './source.js';
import { createGitRepository } from './testing/git-repository.js';
import type { GitRepository } from './testing/git-repository.js';
import { startGitHttpServer } from './testing/git-http-server.js';
import { createSourceContext } from './testing/source-context.js';
import type { TestContext } from './testing/source-context.js';

const PUBLIC_URL = 'https://git.example.com/team/catalogue.git';

let context: TestContext;
let world: SourceContext;
let volume: string;
let repository: GitRepository;

beforeEach(async () => {
  context = await createSourceContext({ maxFileBytes: 50_000_000 });
  repository = await createGitRepository();
  volume = join(context.directory, 'volume');
  await mkdir(volume);
  world = context.with({
    volumes: new Map([['data', volume]]),
    urlRewrites: [{ from: PUBLIC_URL, to: repository.url }],
  });
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await context[Symbol.asyncDispose]();
});

type Files = Readonly<Record<string, string>>;

interface Read {
  readonly entries: CatalogueEntry[];
  readonly quarantined: QuarantinedEntry[];
  readonly revision: string;
}

async function read(
  source: FileSource<never>,
  spec: unknown,
  format: FileFormat = 'upstream',
  known: ReadonlySet<string> = new Set(),
): Promise<Read & { readonly hashes: Set<string> }> {
  const revision = await source.resolve(spec as never, world);
  await source.download(spec as never, revision, context.target, world);
  const result = { entries: [] as CatalogueEntry[], quarantined: [] as QuarantinedEntry[], hashes: new Set<string>() };
  const options = { file: revision.label, maxFileBytes: 50_000_000, claimKnown: (hash: string) => known.has(hash) };
  for await (const items of readCatalogue(context.target, format, options)) {
    for (const item of items) {
      if ('entry' in item) {
        result.entries.push(item.entry);
        result.hashes.add(item.hash.toString('latin1'));
      }
      if ('quarantined' in item) result.quarantined.push(item.quarantined);
    }
  }
  return { ...result, revision: revision.revision };
}

async function writeFiles(files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(volume, name)), { recursive: true });
    await writeFile(join(volume, name), content);
  }
}

const fromVolume = (path: string, format?: FileFormat, known?: ReadonlySet<string>) =>
  read(pvcSource as FileSource<never>, pvcSource.spec.parse({ claimName: 'data', path }), format, known);

const fromGit = (path: string, format?: FileFormat) =>
  read(gitSource as FileSource<never>, gitSource.spec.parse({ repository: PUBLIC_URL, path }), format);

const server = (name: string, fields: object = {}) => ({
  name,
  description: `About ${name}`,
  version: '1.0.0',
  ...fields,
});

const namesOf = ({ entries }: Read) => entries.map(({ name }) => name);
const faultsOf = ({ quarantined }: Read) =>
  quarantined.map(({ key, name, path, message }) => [key, name, [path, message].filter(Boolean).join(' ')]);

describe("a catalogue in the layout of ToolHive's", () => {
  const image = { description: 'Reads the wiki', image: 'ghcr.io/example/wiki:1', transport: 'stdio', tags: ['wiki'] };
  const remote = { description: 'Searches', url: 'https://search.example/mcp', transport: 'streamable-http' };
  const named = { name: 'com.example/named', description: 'Named', image: 'ghcr.io/example/named:2', args: ['--all'] };

  it('has the same entries as the single file made from it, for any file format', async () => {
    const whole = {
      version: '1.0.0',
      last_updated: '2026-11-22T00:00:00Z',
      servers: { named, wiki: image },
      remote_servers: { search: remote },
    };
    const files = {
      'registry/named/spec.yaml': stringify(named),
      'registry/wiki/server.json': JSON.stringify(image, null, 2),
      'registry/search.yml': stringify(remote),
      'registry/README.md': 'not an entry',
      'registry/.hidden/server.json': 'not an entry',
    };
    await writeFiles({ ...files, 'registry.json': JSON.stringify(whole) });
    await repository.commit(files);
    const wanted = (await fromVolume('registry.json', 'toolhive')).entries.toSorted(byName);
    expect(wanted).toHaveLength(3);
    for (const one of [
      await fromVolume('registry', 'toolhive'),
      await fromVolume('registry/', 'toolhive'),
      await fromVolume('registry/**/*', 'toolhive'),
      await fromGit('registry', 'toolhive'),
      await fromGit('registry/**', 'toolhive'),
      await read(fileSource as FileSource<never>, { path: join(volume, 'registry') }, 'toolhive'),
    ]) {
      expect(one.quarantined).toEqual([]);
      const own = new Map(wanted.map(({ name, key }) => [name, key]));
      expect(one.entries.map((entry) => ({ ...entry, key: own.get(entry.name) ?? '' })).toSorted(byName)).toEqual(
        wanted,
      );
      expect(one.entries.map(({ key }) => key.replace(/^.*registry\//, ''))).toEqual([
        'named/spec.yaml',
        'search.yml',
        'wiki/server.json',
      ]);
    }
  });

  it('has the same entries in the upstream format, byte for byte', async () => {
    const [first, second] = [server('com.example/a', { '10': 1, '9': 1 }), server('com.example/b')];
    await writeFiles({
      'servers/a/server.json': JSON.stringify(first),
      'servers/b/server.json': JSON.stringify(second),
      'servers/b/icon.json.png': 'no entry',
      'all.json': JSON.stringify({
        version: '1.0.0',
        meta: { last_updated: '2026-11-22T00:00:00Z' },
        data: { servers: [first, second] },
      }),
    });
    const wanted = (await fromVolume('all.json')).entries.map((entry) => ({
      ...entry,
      key: `servers/${entry.name.slice(-1)}/server.json`,
    }));
    expect((await fromVolume('servers/*/server.json')).entries).toEqual(wanted);
    expect((await fromVolume('servers')).entries).toEqual(wanted);
  });
});

const byName = (a: CatalogueEntry, b: CatalogueEntry) => (a.name < b.name ? -1 : 1);

describe('a fault in one of several files', () => {
  const files: Files = {
    's/bad-json.json': '{"name":"com.example/bad","version":"1.0.0",\n  "description": tru}',
    's/bad-yaml.yaml': 'name: com.example/x\ndescription: [a\n',
    's/alias.yaml': 'a: &x 1\nb: *x\n',
    's/empty.json': '',
    's/two.json': '{}{}',
    's/list.json': '[]',
    's/latin.json': JSON.stringify(server('com.example/l', { title: 'x' })),
    's/schema.json': JSON.stringify(server('com.example/s', { title: 5 })),
    's/deep.json': `{"name":"com.example/deep","x":${'['.repeat(70)}${']'.repeat(70)}}`,
    's/good.json': `\ufeff${JSON.stringify(server('com.example/good'))}\n`,
    's/twice.json': JSON.stringify(server('com.example/good')),
  };

  it('reports the file and its name, and affects no other entry', async () => {
    await writeFiles(files);
    await writeFile(join(volume, 's/latin.json'), Buffer.from('{"name":"com.example/l","title":"\xe9"}', 'latin1'));
    await writeFile(
      join(volume, 's/large.json'),
      `{"name":"com.example/large","x":"${'x'.repeat(BUNDLE_LIMITS.fileBytes)}"}`,
    );
    const found = await fromVolume('s');
    expect(namesOf(found)).toEqual(['com.example/good']);
    expect(faultsOf(found)).toEqual([
      ['s/alias.yaml', undefined, expect.stringMatching(/^line 2: has an alias/)],
      ['s/bad-json.json', 'com.example/bad', 'is not valid JSON: line 2, column 18'],
      ['s/bad-yaml.yaml', undefined, expect.stringMatching(/^line \d+: is not YAML/)],
      ['s/deep.json', 'com.example/deep', 'is nested deeper than 64 levels'],
      ['s/empty.json', undefined, 'is empty: a file holds one server'],
      ['s/large.json', 'com.example/large', `has more than ${BUNDLE_LIMITS.fileBytes} bytes`],
      ['s/latin.json', 'com.example/l', expect.stringContaining('is not UTF-8')],
      ['s/list.json', undefined, 'is a list: a file of a directory holds one server'],
      ['s/schema.json', 'com.example/s', expect.stringContaining('title must be text')],
      ['s/twice.json', 'com.example/good', expect.stringContaining('is a duplicate')],
      ['s/two.json', undefined, expect.stringContaining('is not valid JSON: line 1, column 3')],
    ]);
  });

  it('does not read a stored file again, and has another revision for another name or content', async () => {
    await writeFiles({
      'a.json': JSON.stringify(server('com.example/a')),
      'b.json': JSON.stringify(server('com.example/b')),
    });
    const first = await fromVolume('*.json');
    expect(namesOf(first)).toEqual(['com.example/a', 'com.example/b']);
    await writeFiles({ 'b.json': JSON.stringify(server('com.example/b', { title: 'new' })) });
    const second = await fromVolume('*.json', 'upstream', first.hashes);
    expect(namesOf(second)).toEqual(['com.example/b']);
    expect(second.revision).not.toBe(first.revision);
    expect((await fromVolume('*.json')).revision).toBe(second.revision);
  });

  it('marks entries that are files, with a key that can be stored', async () => {
    await writeFiles({ 'a\nb.json': JSON.stringify(server('com.example/a')), 'c\nd.json': '{}' });
    const { entries, quarantined } = await fromVolume('.');
    expect(entries.map(({ key }) => key)).toEqual(['a\ufffdb.json']);
    expect(quarantined).toMatchObject([{ key: 'c\ufffdd.json', isFile: true }]);
  });

  it('never parses YAML above its limit, not even to find its name', async () => {
    const fill = (length: number) => stringify(server('com.example/x')).padEnd(length, '#');
    await writeFiles({
      's/a.yaml': fill(YAML_LIMIT),
      's/b.yml': fill(YAML_LIMIT + 1),
      's/c.yaml': '}\n'.repeat(YAML_LIMIT),
      's/d.yaml': fill(BUNDLE_LIMITS.fileBytes + 1),
      's/e.yaml': '}\n'.repeat(YAML_LIMIT / 2),
    });
    const found = await fromVolume('s');
    expect(namesOf(found)).toEqual(['com.example/x']);
    const remedy = (bytes: number) => `has ${bytes} bytes, and at most 65536 are read of YAML: store it as JSON`;
    expect(faultsOf(found)).toEqual([
      ['s/b.yml', undefined, remedy(YAML_LIMIT + 1)],
      ['s/c.yaml', undefined, remedy(YAML_LIMIT * 2)],
      ['s/d.yaml', undefined, `has more than ${BUNDLE_LIMITS.fileBytes} bytes`],
      ['s/e.yaml', undefined, expect.stringContaining('line 1: is not YAML')],
    ]);
  });
});

describe('which files are read', () => {
  it('excludes hidden files, other extensions and those that a pattern does not match', async () => {
    const one = JSON.stringify(server('com.example/a'));
    const files = ['a/server.json', 'a/b/server.json', 'a/b/other.json', '.git/server.json', 'a/.x.json', 'server.txt'];
    await writeFiles(Object.fromEntries(files.map((name) => [name, one])));
    await repository.commit(
      Object.fromEntries(files.filter((name) => !name.startsWith('.git')).map((name) => [name, one])),
    );
    for (const [pattern, wanted] of [
      ['*/server.json', ['a/server.json']],
      ['**/server.json', ['a/b/server.json', 'a/server.json']],
      ['a/**', ['a/b/other.json', 'a/b/server.json', 'a/server.json']],
      ['a/*/o*.json', ['a/b/other.json']],
      ['a/[b-c]/server.json', ['a/b/server.json']],
      ['.', ['a/b/other.json', 'a/b/server.json', 'a/server.json']],
    ] as const) {
      for (const source of [fromVolume, fromGit]) {
        const { entries, quarantined } = await source(pattern);
        expect(entries).toHaveLength(1);
        // All files contain the same server, so only the first one is accepted.
        expect(quarantined.map(({ key }) => key)).toEqual(wanted.slice(1));
      }
    }
  });

  it('lists only folders that may contain a file', async () => {
    await writeFiles({
      'a.json': JSON.stringify(server('com.example/a')),
      's/b.json': JSON.stringify(server('com.example/b')),
    });
    for (const folder of ['lost+found', 's/private']) await mkdir(join(volume, folder), { mode: 0 });
    // Root may list any folder, so an additional path that is too deep makes listing fail for root as well.
    await writeFiles({ [`s/t/${'d/'.repeat(BUNDLE_LIMITS.depth)}x.json`]: '{}' });
    expect(namesOf(await fromVolume('*.json'))).toEqual(['com.example/a']);
    expect(namesOf(await fromVolume('s/*.json'))).toEqual(['com.example/b']);
    expect(namesOf(await fromVolume('[a-s]/b.json'))).toEqual(['com.example/b']);
  });

  it.each(['nothing/*.json', 'absent', 'a', 'a*'])('fails when %s has no entry', async (path) => {
    await writeFiles({ 'a/README.md': 'x' });
    await repository.commit({ 'a/README.md': 'x' });
    for (const source of [fromVolume, fromGit]) {
      await expect(source(path)).rejects.toMatchObject({ reason: 'FileNotFound' });
    }
  });

  it('follows no link out of the tree, and no link to a folder', async () => {
    await writeFiles({ 'real/x.json': JSON.stringify(server('com.example/x')) });
    await writeFile(join(context.directory, 'secret.json'), JSON.stringify(server('com.example/secret')));
    await mkdir(join(volume, 'servers'));
    await symlink(join(volume, 'real/x.json'), join(volume, 'servers/inside.json'));
    await symlink(join(context.directory, 'secret.json'), join(volume, 'servers/outside.json'));
    await symlink(join(volume, 'absent.json'), join(volume, 'servers/dead.json'));
    await symlink(volume, join(volume, 'servers/loop'));
    await symlink(context.directory, join(volume, 'out'));
    const found = await fromVolume('servers');
    expect(namesOf(found)).toEqual(['com.example/x']);
    expect(faultsOf(found)).toEqual([
      ['servers/dead.json', undefined, expect.stringContaining('is a broken link')],
      ['servers/outside.json', undefined, expect.stringContaining('is a link that leads out of the volume')],
    ]);
    await expect(fromVolume('out/*.json')).rejects.toMatchObject({ reason: 'FileNotFound' });

    await repository.commit({ 'servers/x.json': JSON.stringify(server('com.example/x')) });
    await repository.link('servers/outside.json', '/etc/passwd');
    const inGit = await fromGit('servers');
    expect([namesOf(inGit), faultsOf(inGit)]).toEqual([
      ['com.example/x'],
      [['servers/outside.json', undefined, 'is a symbolic link, which is not followed']],
    ]);
  });

  it('limits their number, their bytes and the depth of folders', async () => {
    const deep = `${'d/'.repeat(BUNDLE_LIMITS.depth)}x.json`;
    await writeFiles({ [deep]: JSON.stringify(server('com.example/deep')) });
    await repository.commit({ [deep]: JSON.stringify(server('com.example/deep')) });
    for (const source of [fromVolume, fromGit]) expect(namesOf(await source('.'))).toEqual(['com.example/deep']);
    await writeFiles({ [`d/${deep}`]: '{}' });
    await repository.commit({ [`d/${deep}`]: '{}' });
    for (const source of [fromVolume, fromGit]) {
      await expect(source('.')).rejects.toMatchObject({
        reason: 'InvalidData',
        message: expect.stringContaining('16') as string,
      });
    }
    world = context.with({ ...world.settings, maxFileBytes: 500 });
    await writeFiles({ 'many/a.json': `"${'x'.repeat(300)}"`, 'many/b.json': `"${'x'.repeat(300)}"` });
    await expect(fromVolume('many')).rejects.toMatchObject({ reason: 'InvalidData' });
  });
});

it('fetches the files of a folder together, and only new ones', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [
      `servers/s${index}/server.json`,
      JSON.stringify(server(`com.example/s${index}`)),
    ]),
  );
  await repository.commit({ ...files, 'large.bin': 'x'.repeat(100_000) });
  await using host = await startGitHttpServer({ repository: repository.directory });
  world = context.with({
    urlRewrites: [{ from: PUBLIC_URL, to: `${host.url}/${repository.directory.split('/').at(-1)}` }],
  });
  expect((await fromGit('servers')).entries).toHaveLength(40);
  const before = host.requests.length;
  expect(before, 'a few requests, not one for each file').toBeLessThan(15);
  await repository.commit({ 'servers/s1/server.json': JSON.stringify(server('com.example/new')) });
  expect(namesOf(await fromGit('servers'))).toContain('com.example/new');
});

it('lists only the folder, however large the repository is', async () => {
  await repository.commit({ 'servers/a.json': JSON.stringify(server('com.example/a')) });
  const make = (command: readonly string[], input: string) =>
    execFileSync('git', command, { cwd: repository.directory, input }).toString().trim();
  const makeTree = (lines: readonly string[]) => make(['mktree'], lines.join('\n'));
  const makeBlob = (content: string) => make(['hash-object', '-w', '--stdin'], content);
  const names = Array.from({ length: 17 }, (_, index) => `${index}${'x'.repeat(1024 * 1024)}`);
  const large = makeTree(names.map((name, index) => `100644 blob ${makeBlob(`${index}`)}\t${name}`));
  const servers = await repository.git('rev-parse', 'HEAD:servers');
  const root = makeTree([`040000 tree ${large}\tlarge`, `040000 tree ${servers}\tservers`]);
  await repository.git('update-ref', 'refs/heads/main', await repository.git('commit-tree', root, '-m', 'large'));
  for (const path of ['servers', 'servers/*.json']) expect(namesOf(await fromGit(path))).toEqual(['com.example/a']);
});

describe('a ConfigMap without a key', () => {
  const spec = configMapSource.spec.parse({ name: 'servers' });
  const fromConfigMap = () => read(configMapSource as FileSource<never>, spec);

  it('has an entry for each key with a known extension, and reports the key of an error', async () => {
    context.configMaps.set('servers/b.yaml', stringify(server('com.example/b')));
    context.configMaps.set('servers/a.json', JSON.stringify(server('com.example/a')));
    context.configMaps.set('servers/bad.json', '{');
    context.configMaps.set('servers/notes.txt', 'no entry');
    const found = await fromConfigMap();
    expect(namesOf(found)).toEqual(['com.example/a', 'com.example/b']);
    expect(faultsOf(found).map(([key]) => key)).toEqual(['bad.json']);
    expect(await readFile(context.target, 'utf8')).not.toContain('notes');
  });

  it('fails if no key is an entry', async () => {
    context.configMaps.set('servers/notes.txt', 'no entry');
    await expect(fromConfigMap()).rejects.toMatchObject({ reason: 'KeyNotFound' });
  });
});
