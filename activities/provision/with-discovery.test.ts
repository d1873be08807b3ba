import { expect, it } from 'vitest';
import { parseServerConfig } from '#spec/server-config.js';
import { toConfigMap } from './desired/config.js';
import { blueprint } from './testing/blueprint.js';
import { discoveryNotices, withDiscovery } from './with-discovery.js';

const git = { git: { repository: 'https://git.example.com/a.git' } };

const namesOf = (spec: object, settings = {}) =>
  withDiscovery(blueprint(spec).spec, settings).registries.map(({ name, type }) => `${name} ${type}`);

it('comes before all sources of the spec, and is the only one if the spec has none', () => {
  expect(namesOf({ registries: [{ name: 'a', ...git }] })).toEqual(['default kubernetes', 'a git']);
  expect(namesOf({})).toEqual(['default kubernetes']);
});

it('is replaced by a source of that name, which is reported', () => {
  const spec = { registries: [{ name: 'default', ...git }] };
  expect(namesOf(spec)).toEqual(['default git']);
  expect(discoveryNotices(blueprint(spec).spec, {})).toEqual([
    { reason: 'BuiltInSourceReplaced', message: expect.stringContaining('"default"') },
  ]);
  expect(discoveryNotices(blueprint({ registries: [{ name: 'a', ...git }] }).spec, {})).toEqual([]);
});

it('does not change a hand-written configuration', () => {
  const configYAML = 'auth: {mode: anonymous}\nregistries: [{name: default, file: {path: /a.json}}]\n';
  expect(namesOf({ configYAML })).toEqual(['default file']);
  expect(discoveryNotices(blueprint({ configYAML }).spec, {})).toEqual([]);
});

it('is disabled by the setting of the site', () => {
  expect(namesOf({ registries: [{ name: 'a', ...git }] }, { discovery: false })).toEqual(['a git']);
});

it('is not added for a pod with another account, unless there is nothing else to serve', () => {
  const pods = [{ serviceAccountName: 'mine' }, { automountServiceAccountToken: false }];
  for (const pod of pods) {
    const podTemplateSpec = { spec: pod };
    expect(namesOf({ registries: [{ name: 'a', ...git }], podTemplateSpec })).toEqual(['a git']);
    expect(namesOf({ podTemplateSpec })).toEqual(['default kubernetes']);
  }
});

it('is the first source in the configuration of a server, in addition to the maximum number of a spec', () => {
  const registries = Array.from({ length: 20 }, (_, index) => ({ name: `s${index}`, ...git }));
  const of = blueprint({ registries });
  const { data } = toConfigMap({ ...of, spec: withDiscovery(of.spec, {}) }) as unknown as {
    data: { 'config.yaml': string };
  };
  expect(data['config.yaml']).toContain('registries:\n  - name: default\n    format: upstream\n    kubernetes: {}\n');
  const parsed = parseServerConfig(data['config.yaml']);
  expect('spec' in parsed && parsed.spec.registries).toHaveLength(21);
});
