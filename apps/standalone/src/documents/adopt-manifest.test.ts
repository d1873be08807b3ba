import { describe, expect, it } from 'vitest';
import { adoptManifest, changedRegistries, NOTHING } from './adopt-manifest.js';
import type { StoreState } from './adopt-manifest.js';
import type { ManifestEntry } from './manifest.js';

let count = 0;
const newUid = () => `uid-${++count}`;

const registry = (name: string, spec: object = {}, more: object = {}): ManifestEntry => ({
  kind: 'MCPRegistry',
  namespace: 'default',
  name,
  file: '/m/a.yaml',
  line: 1,
  triggerToken: undefined,
  spec,
  ...more,
});
const faulty = (name: string, of: 'MCPRegistry' | 'ConfigMap' = 'MCPRegistry'): ManifestEntry => ({
  kind: 'Faulty',
  of,
  namespace: 'default',
  name,
  file: '/m/a.yaml',
});
const configMap = (name: string, value: string): ManifestEntry => ({
  kind: 'ConfigMap',
  namespace: 'default',
  name,
  file: '/m/a.yaml',
  line: 1,
  data: new Map([['k', Buffer.from(value)]]),
});

const adopt = (state: StoreState, ...entries: ManifestEntry[]) =>
  adoptManifest(state, { entries, faults: [], notices: [] }, newUid);
const released = (state: StoreState): StoreState => ({
  ...state,
  registries: state.registries.filter(({ deleting }) => !deleting),
});
const namesOf = ({ registries }: StoreState) => registries.map(({ name, deleting }) => (deleting ? `-${name}` : name));
const changes = (before: StoreState, after: StoreState) => changedRegistries(before, after).map(({ name }) => name);

describe('applying manifests', () => {
  it('gives a registry an identity when it is first seen and keeps it', () => {
    const first = adopt(NOTHING, registry('a'), registry('b'));
    expect(first.registries).toMatchObject([
      { name: 'a', generation: 1 },
      { name: 'b', generation: 1 },
    ]);
    expect(first.registries[0]!.uid).not.toBe(first.registries[1]!.uid);
    expect(changes(NOTHING, first)).toEqual(['a', 'b']);

    const second = adopt(first, registry('a'), registry('b'));
    expect(second).toEqual(first);
    expect(changes(first, second)).toEqual([]);
  });

  it('counts edits of the spec, but not a different order of its fields', () => {
    const first = adopt(NOTHING, registry('a', { x: 1, y: 2 }));
    const reordered = adopt(first, registry('a', { y: 2, x: 1 }));
    const edited = adopt(reordered, registry('a', { y: 2, x: 3 }));
    expect([first, reordered, edited].map(({ registries }) => registries[0]!.generation)).toEqual([1, 1, 2]);
    expect(changes(first, reordered)).toEqual([]);
    expect(changes(reordered, edited)).toEqual(['a']);
  });

  it('notices a trigger without counting it as an edit', () => {
    const first = adopt(NOTHING, registry('a'));
    const triggered = adopt(first, registry('a', {}, { triggerToken: '1' }));
    expect(triggered.registries).toMatchObject([{ generation: 1, triggerToken: '1' }]);
    expect(changes(first, triggered)).toEqual(['a']);
  });

  it('deletes a registry whose document was removed; a new one of that name is another registry', () => {
    const first = adopt(NOTHING, registry('a'), registry('b'));
    const removed = adopt(first, registry('b'));
    expect(namesOf(removed)).toEqual(['b', '-a']);
    expect(changes(first, removed)).toEqual(['a']);

    const backTooSoon = adopt(removed, registry('a'), registry('b'));
    expect(namesOf(backTooSoon)).toEqual(['b', '-a']);

    const back = adopt(released(backTooSoon), registry('a'), registry('b'));
    expect(namesOf(back)).toEqual(['a', 'b']);
    expect(back.registries[0]).toMatchObject({ generation: 1 });
    expect(back.registries[0]!.uid).not.toBe(first.registries[0]!.uid);
    expect(back.registries[1]).toEqual(first.registries[1]);
  });

  it('keeps the last valid version of an invalid document', () => {
    const first = adopt(NOTHING, registry('a', { x: 1 }), registry('b'), configMap('c', '1'));
    const broken = adopt(first, faulty('a'), registry('b'), faulty('c', 'ConfigMap'));
    expect(broken).toEqual(first);
    expect(adopt(broken, registry('a', { x: 2 }), registry('b')).registries[0]).toMatchObject({
      uid: first.registries[0]!.uid,
      generation: 2,
    });
  });

  it('ignores an invalid document that was never valid', () => {
    expect(adopt(NOTHING, faulty('a')).registries).toEqual([]);
  });

  it.each([
    ['a file', '/m/a.yaml', ['a', 'b']],
    ['its directory', '/m', ['a', 'b']],
    ['another file', '/m/b.yaml', ['-a', '-b']],
    ['a directory whose name begins alike', '/m/a', ['-a', '-b']],
  ])('keeps what came from %s when it cannot be read', (_, path, names) => {
    const first = adopt(NOTHING, registry('a'), registry('b'), configMap('c', '1'));
    const after = adopt(first, { kind: 'Unreadable', path });
    expect(namesOf(after)).toEqual(names);
    expect(after.data.size).toBe(names.includes('a') ? 1 : 0);
  });

  it('accepts a document that moved from an unreadable file to another file', () => {
    const first = adopt(NOTHING, registry('a'));
    const moved = adopt(first, { kind: 'Unreadable', path: '/m/a.yaml' }, registry('a', {}, { file: '/m/b.yaml' }));
    expect(moved.registries).toEqual([{ ...first.registries[0], file: '/m/b.yaml' }]);
  });

  it('nudges only the registries that refer to a changed object', () => {
    const using = (name: string) => ({ registries: [{ name: 's', configMapRef: { name, key: 'k' } }] });
    const entries = [registry('a', using('one')), registry('b', using('two')), registry('c')];
    const first = adopt(NOTHING, ...entries, configMap('one', '1'), configMap('two', '1'));
    const edited = adopt(first, ...entries, configMap('one', '2'), configMap('two', '1'));
    const removed = adopt(edited, ...entries, configMap('one', '2'));
    expect(changes(first, edited)).toEqual(['a']);
    expect(changes(edited, removed)).toEqual(['b']);
    expect(changes(removed, first)).toEqual(['a', 'b']);
  });

  it('nudges for a Secret deep in the spec, but only in the same namespace', () => {
    const spec = { registries: [{ git: { auth: { passwordSecretRef: { name: 'login', key: 'p' } } } }] };
    const secret = (value: string): ManifestEntry =>
      ({ ...configMap('login', value), kind: 'Secret' }) as ManifestEntry;
    const entries = [registry('a', spec), registry('b', spec, { namespace: 'other' })];
    expect(changes(adopt(NOTHING, ...entries, secret('1')), adopt(NOTHING, ...entries, secret('2')))).toHaveLength(2); // other uids
    const first = adopt(NOTHING, ...entries, secret('1'));
    expect(changes(first, adopt(first, ...entries, secret('2')))).toEqual(['a']);
  });
});
