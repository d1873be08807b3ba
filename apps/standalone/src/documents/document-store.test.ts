import { EventEmitter, on } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegistryStatus } from '#domain/status/registry-status.js';
import { formatDocumentFault } from './document-fault.js';
import { DocumentStore } from './document-store.js';
import type { DocumentChanges } from './document-store.js';

let root: string;
let manifests: string;
let data: string;
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'documents-'));
  [manifests, data] = [join(root, 'manifests'), join(root, 'data')];
  await mkdir(manifests);
});

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
  await rm(root, { recursive: true });
});

interface RegistryOptions {
  readonly mode?: string;
  readonly interval?: string;
  readonly trigger?: string;
}

const registry = (name: string, { mode = 'anonymous', interval = '30m', trigger }: RegistryOptions = {}) => `
apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata:
  name: ${name}${trigger ? `\n  annotations: { toolhive.stacklok.dev/sync-trigger: '${trigger}' }` : ''}
spec:
  auth: { mode: ${mode} }
  registries:
    - name: main
      configMapRef: { name: ${name}-data, key: registry.json }
      syncPolicy: { interval: ${interval} }
`;

const configMap = (name: string, text: string) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name} }
data: { registry.json: '${text}' }
`;

const write = (file: string, ...documents: string[]) => writeFile(join(manifests, file), documents.join('---'));
const open = (...paths: string[]) => DocumentStore.open(paths.length > 0 ? paths : [manifests], data);
const names = (store: DocumentStore) =>
  store.registries().map(({ ref, deleting }) => (deleting ? `-${ref.name}` : ref.name));
const refOf = (store: DocumentStore, name: string) => store.registries().find(({ ref }) => ref.name === name)!.ref;

/** Watches the store. `next` returns the changes one by one. */
function watch(store: DocumentStore): { next(): Promise<DocumentChanges>; seen: DocumentChanges[] } {
  const emitter = new EventEmitter();
  const changes = on(emitter, 'change');
  const seen: DocumentChanges[] = [];
  const watcher = store.watch((change) => {
    seen.push(change);
    emitter.emit('change', change);
  });
  closing.push(() => watcher.close());
  return { seen, next: async () => ((await changes.next()).value as [DocumentChanges])[0] };
}

const nudgedNames = ({ nudged }: DocumentChanges) => nudged.map(({ name }) => name);

const status: RegistryStatus = { phase: 'Ready', message: 'serving', observedGeneration: 1, conditions: [] };

describe('a store of documents', () => {
  it('reads files and directories in order, but only manifests', async () => {
    await write('b.yml', registry('two'));
    await write('a.yaml', registry('one'));
    await write(
      'c.json',
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { k: 'v' } }),
    );
    await write('.a.yaml.swp.yaml', registry('hidden'));
    await write('readme.txt', 'kind: MCPRegistry');
    await mkdir(join(manifests, 'inner'));
    await write('inner/d.yaml', registry('deeper'));
    await writeFile(join(root, 'first.yaml'), registry('first'));

    const store = await open(join(root, 'first.yaml'), manifests, join(manifests, 'a.yaml'));
    expect(names(store)).toEqual(['first', 'one', 'two']);
    expect(store.faults()).toEqual([]);
    expect(Buffer.from(await store.configMapKey('default', 'm', 'k')).toString()).toBe('v');
  });

  it('rejects the second of two registries with the same name and reports where the first is', async () => {
    await write('a.yaml', configMap('x', '{}'), registry('same'));
    await write('b.yaml', registry('same', { interval: '1h' }));
    const store = await open();
    expect(names(store)).toEqual(['same']);
    expect(store.faults().map(formatDocumentFault)).toEqual([
      `${join(manifests, 'b.yaml')}:2: metadata.name: MCPRegistry default/same is already defined in ${join(manifests, 'a.yaml')}:7: rename or remove one of them`,
    ]);
  });

  it('reports a path that does not exist and serves the others', async () => {
    await write('a.yaml', registry('one'));
    const store = await open(manifests, join(root, 'nope.yaml'));
    expect(names(store)).toEqual(['one']);
    expect(store.faults().map(formatDocumentFault)).toEqual([expect.stringMatching(/nope.yaml: does not exist/)]);
  });

  it('remembers identity, generation and last valid version across a restart', async () => {
    await write('a.yaml', registry('one'));
    const [first] = (await open()).registries();
    expect((await open()).registries()).toEqual([first]);

    await write('a.yaml', registry('one', { mode: 'broken' }));
    const broken = await open();
    expect(broken.registries()).toEqual([first]);
    expect(broken.faults()).toHaveLength(1);

    await write('a.yaml', registry('one', { interval: '1h' }));
    expect((await open()).registries()).toMatchObject([{ ref: first!.ref, generation: 2 }]);
  });

  it('does not treat a registry as removed because its file could not be read at the start', async () => {
    const file = join(manifests, 'a.yaml');
    await write('a.yaml', registry('one'));
    const first = (await open(file)).registries();
    await rename(file, `${file}.away`);
    expect((await open(file)).registries()).toEqual(first);
    await writeFile(file, 'kind: [');
    expect((await open(file)).registries()).toEqual(first);
  });

  it('keeps a removed registry until it is released, and then creates a new one of its name', async () => {
    await write('a.yaml', registry('one'));
    const before = await open();
    const ref = refOf(before, 'one');
    await before.writeStatus(ref, status);
    await before.release(ref);
    expect(names(before)).toEqual(['one']); // nothing asked for its deletion

    await rm(join(manifests, 'a.yaml'));
    const store = await open();
    expect(names(store)).toEqual(['-one']);
    expect(await store.findRegistry(ref)).toMatchObject({ ref, deleting: true });
    await store.release(ref);
    await store.release(ref);
    expect(store.registries()).toEqual([]);
    expect(await store.findRegistry(ref)).toBeUndefined();
    expect(await store.readStatus(ref)).toBeUndefined();

    await write('a.yaml', registry('one'));
    const again = await open();
    expect(refOf(again, 'one').uid).not.toBe(ref.uid);
    expect(await again.findRegistry(ref)).toBeUndefined();
  });

  it('keeps a status per registry, only for this uid, and none for a removed one', async () => {
    await write('a.yaml', registry('one'));
    const store = await open();
    const ref = refOf(store, 'one');
    expect(await store.readStatus(ref)).toBeUndefined();
    await store.writeStatus(ref, status);
    expect(await store.readStatus(ref)).toEqual(status);
    expect(await (await open()).readStatus(ref)).toEqual(status);

    await store.writeStatus({ ...ref, uid: 'other' }, { ...status, phase: 'Failed' });
    expect(await store.readStatus(ref)).toEqual(status);
    expect(await store.readStatus({ ...ref, uid: 'other' })).toBeUndefined();
    expect(await readdir(join(data, 'status', 'default'))).toEqual(['one.json']);
    expect((await stat(join(data, 'registries.json'))).mode & 0o077).toBe(0);
  });

  it('distinguishes a missing object from a missing key, without showing values', async () => {
    await write(
      'a.yaml',
      configMap('data', '{}'),
      `\napiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { a: hunter2 }\n`,
    );
    const store = await open();
    expect(Buffer.from(await store.secretKey('default', 's', 'a')).toString()).toBe('hunter2');
    await expect(store.configMapKey('default', 's', 'a')).rejects.toMatchObject({ reason: 'ConfigMapNotFound' });
    await expect(store.secretKey('other', 's', 'a')).rejects.toMatchObject({ reason: 'SecretNotFound' });
    const missing = store.secretKey('default', 's', 'b');
    await expect(missing).rejects.toMatchObject({
      reason: 'KeyNotFound',
      message: 'Secret default/s has no key b: add it, or refer to another key',
    });
    await expect(missing).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') });
    const version = await store.referenceVersion('Secret', 'default', 's');
    expect(version).toMatch(/^[0-9a-f]{64}$/);
    expect(await (await open()).referenceVersion('Secret', 'default', 's')).toBe(version);
    const elsewhere = await DocumentStore.open([manifests], join(data, 'elsewhere'));
    expect(await elsewhere.referenceVersion('Secret', 'default', 's')).not.toBe(version);
    expect(await store.referenceVersion('Secret', 'default', 't')).toBeUndefined();
  });

  it.each(['Secret', 'ConfigMap'] as const)('distinguishes an invalid %s from a missing one', async (kind) => {
    await write('a.yaml', `apiVersion: v1\nkind: ${kind}\nmetadata: { name: s }\ndate: { a: hunter2 }\n`);
    const store = await open();
    const read = (name: string) =>
      kind === 'Secret' ? store.secretKey('default', name, 'a') : store.configMapKey('default', name, 'a');
    const faulty = {
      reason: `${kind}NotFound`,
      message: expect.stringMatching(/has errors: correct them in .*a\.yaml$/),
    };
    await expect(read('s')).rejects.toMatchObject(faulty);
    await expect(read('t')).rejects.toMatchObject({ message: expect.stringContaining('does not exist') });
  });

  it('does not start with a damaged record of its registries, because they would get new identities', async () => {
    await write('a.yaml', registry('one'));
    await open();
    await writeFile(join(data, 'registries.json'), '{');
    await expect(open()).rejects.toThrow(/registries.json is damaged: restore it/);
  });
});

describe('a watched store of documents', () => {
  it('notices an edit, a trigger, a reference, a new file and a removed one, each once', async () => {
    await write('a.yaml', registry('one'), registry('two'), configMap('one-data', '1'));
    const store = await open();
    const changes = watch(store);
    const version = await store.referenceVersion('ConfigMap', 'default', 'one-data');

    await write('a.yaml', registry('one', { interval: '1h' }), registry('two'), configMap('one-data', '1'));
    expect(nudgedNames(await changes.next())).toEqual(['one']);
    expect(store.registries()).toMatchObject([{ generation: 2 }, { generation: 1 }]);

    await write(
      'a.yaml',
      registry('one', { interval: '1h', trigger: 'now' }),
      registry('two'),
      configMap('one-data', '1'),
    );
    expect(nudgedNames(await changes.next())).toEqual(['one']);
    expect(store.registries()).toMatchObject([{ generation: 2, triggerToken: 'now' }, {}]);

    await write(
      'a.yaml',
      registry('one', { interval: '1h', trigger: 'now' }),
      registry('two'),
      configMap('one-data', '2'),
    );
    expect(nudgedNames(await changes.next())).toEqual(['one']);
    expect(await store.referenceVersion('ConfigMap', 'default', 'one-data')).not.toBe(version);

    await write('b.yaml', registry('three'));
    expect(nudgedNames(await changes.next())).toEqual(['three']);

    await rm(join(manifests, 'b.yaml'));
    expect(nudgedNames(await changes.next())).toEqual(['three']);
    expect(names(store)).toEqual(['one', 'two', '-three']);
    expect(changes.seen).toHaveLength(5);
  });

  it('works with editors that replace a file by a rename', async () => {
    const file = join(manifests, 'a.yaml');
    await write('a.yaml', registry('one'));
    const store = await open(file);
    const { ref } = store.registries()[0]!;
    const changes = watch(store);
    for (const interval of ['1h', '2h']) {
      await rename(file, `${file}~`);
      await writeFile(`${file}.new`, registry('one', { interval }));
      await rename(`${file}.new`, file);
      expect(nudgedNames(await changes.next())).toEqual(['one']);
    }
    expect(store.registries()).toMatchObject([{ ref, generation: 3, deleting: false }]);
    expect(changes.seen).toHaveLength(2);
  });

  it('reports new errors, keeps the last valid versions, and reports when the errors are fixed', async () => {
    await write('a.yaml', registry('one'), registry('two'));
    const store = await open();
    const changes = watch(store);

    await write('a.yaml', registry('one', { mode: 'open' }), registry('two', { interval: '1h' }));
    const broken = await changes.next();
    expect(nudgedNames(broken)).toEqual(['two']);
    expect(broken.faults.map(({ field }) => field)).toEqual(['spec.auth.mode']);
    expect(names(store)).toEqual(['one', 'two']);

    await write('a.yaml', registry('one'), registry('two', { interval: '1h' }));
    expect(await changes.next()).toMatchObject({ nudged: [], faults: [] });
  });

  it('keeps registries whose file is missing or unreadable, as long as its path is configured', async () => {
    const file = join(manifests, 'a.yaml');
    await write('a.yaml', registry('one'));
    const store = await open(file);
    const changes = watch(store);
    await rm(file);
    const gone = await changes.next();
    expect(gone.nudged).toEqual([]);
    expect(gone.faults.map(formatDocumentFault)).toEqual([expect.stringMatching(/a.yaml: does not exist/)]);
    expect(names(store)).toEqual(['one']);

    await write('a.yaml', registry('one'));
    expect(await changes.next()).toMatchObject({ nudged: [], faults: [] });
  });

  it.skipIf(process.getuid?.() === 0)('keeps registries of an unreadable directory', async () => {
    await write('a.yaml', registry('one'));
    const store = await open();
    const changes = watch(store);
    await chmod(manifests, 0);
    try {
      expect((await changes.next()).faults.map(formatDocumentFault)).toEqual([
        expect.stringContaining('may not be read'),
      ]);
      expect(names(store)).toEqual(['one']);
    } finally {
      await chmod(manifests, 0o700);
    }
  });

  it('uses a name for another registry when the old one is released', async () => {
    await write('a.yaml', registry('one'), registry('two'));
    const store = await open();
    const changes = watch(store);
    const { uid } = refOf(store, 'one');

    await write('a.yaml', registry('two'));
    await changes.next();
    await write('a.yaml', registry('one'), registry('two'), configMap('two-data', '1'));
    expect(nudgedNames(await changes.next())).toEqual(['two']);
    expect(names(store)).toEqual(['two', '-one']);

    await store.release(refOf(store, 'one'));
    const { nudged } = await changes.next();
    expect(nudged).toMatchObject([{ name: 'one' }]);
    expect(nudged[0]!.uid).not.toBe(uid);
    expect(names(store)).toEqual(['one', 'two']);
  });

  it('reports that it cannot write its records, and applies the edit once it can', async () => {
    await write('a.yaml', registry('one'));
    const store = await open();
    const changes = watch(store);
    await rm(data, { recursive: true });
    await writeFile(data, 'a file where the directory should be');
    await write('a.yaml', registry('one', { interval: '1h' }));
    expect((await changes.next()).faults.map(formatDocumentFault)).toEqual([
      expect.stringContaining('edits do not take effect'),
    ]);
    expect(store.registries()).toMatchObject([{ generation: 1 }]);

    await rm(data);
    for (let change = await changes.next(); change.nudged.length === 0;) change = await changes.next();
    expect(store.registries()).toMatchObject([{ generation: 2 }]);
    expect(JSON.parse(await readFile(join(data, 'registries.json'), 'utf8'))).toMatchObject({
      registries: [{ generation: 2 }],
    });
  });
});
