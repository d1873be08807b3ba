import { parseAllDocuments } from 'yaml';
import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { helm } from './support/cluster.js';

const CHART = 'deploy/helm/mcp-registry-operator';
const DIGEST = `sha256:${'ab'.repeat(32)}`;

interface Container {
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Rendered extends KubernetesObject {
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly [Container & { readonly args: readonly string[] }];
        readonly volumes: readonly {
          readonly name: string;
          readonly projected?: { readonly sources: readonly object[] };
        }[];
      };
    };
  };
  readonly rules?: readonly object[];
}

/** Renders the chart as a release named `some` with these values. */
async function render(values: object): Promise<(kind: string, name: string) => Rendered> {
  const args = Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]);
  const text = await helm(['template', 'some', CHART, '--namespace', 'site', ...args]);
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Rendered | null);
  return (kind, name) => {
    const found = objects.find((object) => object?.kind === kind && object.metadata.name === name);
    if (!found) throw new Error(`there is no ${kind} ${name}`);
    return found;
  };
}

const operatorPod = (object: Awaited<ReturnType<typeof render>>) => object('Deployment', 'some').spec.template.spec;
const variable = ({ env = [] }: Container, name: string) => env.find((each) => each.name === name)?.value;

const group = (name: string, more: object = {}) => ({
  name,
  namespaceSelector: { matchLabels: { team: name } },
  namespace: name,
  ...more,
});

describe('groups of namespaces in the chart', () => {
  const temporal = { tls: { serverName: 'temporal.example', secretName: 'of-the-operator' } };

  it('are none by default, and then nothing of the cluster is needed for them', async () => {
    const object = await render({ temporal });
    expect(variable(operatorPod(object).containers[0], 'TEMPORAL_GROUPS')).toBeUndefined();
    expect(() => object('ClusterRole', 'some-namespace-labels')).toThrow('there is no ClusterRole');
  });

  it('come to the operator with their selectors, their addresses and the right to see labels', async () => {
    const groups = [group('blue', { apiKey: { secretName: 'blue-key' } }), group('red', { address: 'red:7233' })];
    const object = await render({ temporal, 'registryTemporal.groups': groups });
    const selectors = groups.map(({ name, namespaceSelector }) => ({ name, namespaceSelector }));
    expect(JSON.parse(variable(operatorPod(object).containers[0], 'TEMPORAL_GROUPS')!)).toEqual(selectors);
    expect(object('Secret', 'some-temporal-group-blue').stringData).toEqual({
      address: 'temporal-frontend.temporal.svc:7233',
      namespace: 'blue',
      serverName: 'temporal.example',
    });
    expect(object('Secret', 'some-temporal-group-red').stringData).toEqual({ address: 'red:7233', namespace: 'red' });
    expect(object('ClusterRole', 'some-namespace-labels').rules).toEqual([
      { apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] },
    ]);
  });

  it('get credentials of their own, and those of the operator go to its own server alone', async () => {
    const operator = { tls: { secretName: 'red-operator' } };
    const groups = [
      group('blue', { apiKey: { secretName: 'blue-key' } }),
      group('red', { address: 'red:7233', tls: { secretName: 'red-registries' }, operator }),
      group('green', { address: 'green:7233' }),
      group('key', { operator: { apiKey: { secretName: 'operator-key' } } }),
    ];
    const { volumes, containers } = operatorPod(await render({ temporal, 'registryTemporal.groups': groups }));
    const sources = (name: string, role: string) =>
      volumes.find((volume) => volume.name === `temporal-group-${name}-${role}`)?.projected?.sources;
    const place = (name: string) => ({ secret: { name: `some-temporal-group-${name}` } });
    const authority = { name: 'of-the-operator', items: [{ key: 'ca.crt', path: 'ca.crt' }], optional: true };
    const blueKey = { name: 'blue-key', items: [{ key: 'apiKey', path: 'apiKey' }] };
    expect(sources('blue', 'operator')).toEqual([place('blue'), { secret: { name: 'of-the-operator' } }]);
    expect(sources('blue', 'registries')).toEqual([place('blue'), { secret: blueKey }, { secret: authority }]);
    expect(sources('red', 'operator')).toEqual([place('red'), { secret: { name: 'red-operator' } }]);
    expect(sources('red', 'registries')).toEqual([place('red'), { secret: { name: 'red-registries' } }]);
    expect(sources('green', 'operator')).toEqual([place('green')]);
    // The group has the same Temporal server and therefore the same authority, whatever credentials the operator
    // presents.
    const operatorKey = { name: 'operator-key', items: [{ key: 'apiKey', path: 'apiKey' }] };
    expect(sources('key', 'operator')).toEqual([place('key'), { secret: operatorKey }, { secret: authority }]);
    expect(sources('green', 'registries')).toEqual([place('green')]);
    const [{ volumeMounts }] = containers;
    const mounts = volumeMounts.filter(({ name }) => name.startsWith('temporal-group-blue'));
    expect(mounts.map(({ mountPath }) => mountPath)).toEqual([
      '/temporal-groups/blue/operator',
      '/temporal-groups/blue/registries',
    ]);
  });

  it('are made on the development server, where that is part of the release', async () => {
    const groups = [group('blue'), group('red', { address: 'red:7233' })];
    const object = await render({ 'temporal.dev.enabled': true, 'registryTemporal.groups': groups });
    const [{ args }] = object('Deployment', 'some-temporal-dev').spec.template.spec.containers;
    expect(args.filter((each) => each.startsWith('--namespace'))).toEqual(['--namespace=default', '--namespace=blue']);
  });

  it.each<[string, readonly object[]]>([
    ['red has the Temporal namespace blue of blue', [group('blue'), group('red', { namespace: 'blue' })]],
    ['blue has the Temporal namespace default of temporal', [group('blue', { namespace: 'default' })]],
    ['must not have two groups called blue', [group('blue'), group('blue', { namespace: 'other' })]],
    ['additional properties', [group('blue', { selector: {} })]],
    ['minProperties', [group('blue', { namespaceSelector: {} })]],
    ['maxItems', Array.from({ length: 17 }, (_, index) => group(`g${index}`))],
  ])('are refused: %s', async (fault, groups) => {
    await expect(render({ 'registryTemporal.groups': groups })).rejects.toThrow(fault);
  });
});

describe('a digest in the chart', () => {
  it('wins over the tag, for every image that is deployed', async () => {
    const object = await render({
      'image.digest': DIGEST,
      'temporal.dev.enabled': true,
      'temporal.dev.digest': DIGEST,
      'registries.image': 'mirror.example/registry:1',
      'registries.imageDigest': DIGEST,
    });
    const [operator] = operatorPod(object).containers;
    const [server] = object('Deployment', 'some-temporal-dev').spec.template.spec.containers;
    const registries = variable(operator, 'TOOLHIVE_REGISTRY_API_IMAGE');
    for (const image of [operator.image, server.image, registries]) {
      expect(image).toMatch(/^[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
    }
    expect(registries).toBe(`mirror.example/registry:1@${DIGEST}`);
  });

  it('of the operator is that of registries as well, unless they have an image of their own', async () => {
    const own = await render({ 'image.digest': DIGEST });
    const [operator] = operatorPod(own).containers;
    expect(variable(operator, 'TOOLHIVE_REGISTRY_API_IMAGE')).toBe(operator.image);
    const other = await render({ 'image.digest': DIGEST, 'registries.image': 'mirror.example/registry:1' });
    const image = variable(operatorPod(other).containers[0], 'TOOLHIVE_REGISTRY_API_IMAGE');
    expect(image).toBe('mirror.example/registry:1');
  });

  it.each<[string, object]>([
    ['has a digest already', { 'registries.image': `a@${DIGEST}`, 'registries.imageDigest': DIGEST }],
    ['registries.imageDigest needs registries.image', { 'registries.imageDigest': DIGEST }],
    ['does not match pattern', { 'image.digest': 'sha256:short' }],
  ])('is refused: %s', async (fault, values) => {
    await expect(render(values)).rejects.toThrow(fault);
  });
});
