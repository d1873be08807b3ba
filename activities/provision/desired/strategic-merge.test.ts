import { describe, expect, it } from 'vitest';
import { strategicMerge } from './strategic-merge.js';

const base = {
  serviceAccountName: 'ours',
  containers: [
    {
      name: 'main',
      image: 'ours:1',
      args: ['serve', '--all'],
      env: [
        { name: 'A', value: '1' },
        { name: 'POD', valueFrom: { fieldRef: {} } },
      ],
      resources: { requests: { cpu: '100m', memory: '128Mi' } },
      livenessProbe: { httpGet: { path: '/health' }, periodSeconds: 10 },
      volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
    },
  ],
  volumes: [{ name: 'tmp', emptyDir: {} }],
};

describe('a strategic merge', () => {
  it('changes nothing when nothing is said', () => {
    expect(strategicMerge(base, {})).toEqual(base);
  });

  it('finds items by their key, keeps those that are not spoken of, and puts new ones last', () => {
    const { containers } = strategicMerge(base, {
      containers: [
        { name: 'side', image: 'side:1' },
        { name: 'main', livenessProbe: { periodSeconds: 20 } },
      ],
    }) as typeof base;
    expect(containers.map(({ name }) => name)).toEqual(['main', 'side']);
    const livenessProbe = { httpGet: { path: '/health' }, periodSeconds: 20 };
    expect(containers[0]).toEqual({ ...base.containers[0], livenessProbe });
  });

  it('replaces lists that have no key as a whole', () => {
    const merged = strategicMerge(base, { containers: [{ name: 'main', args: ['other'] }] }) as typeof base;
    expect(merged.containers[0]?.args).toEqual(['other']);
  });

  it.each([
    ['volumes', { volumes: [{ name: 'tmp', hostPath: { path: '/x' } }] }, [{ name: 'tmp', hostPath: { path: '/x' } }]],
    ['tolerations', { tolerations: [{ key: 'a' }] }, [{ key: 'a' }]],
  ])('replaces items of %s whole, since each says one thing in one of several ways', (list, patch, expected) => {
    expect(strategicMerge(base, patch)[list]).toEqual(expected);
  });

  it('replaces a variable whole, so that it has one value', () => {
    const patch = {
      containers: [
        {
          name: 'main',
          env: [
            { name: 'POD', value: 'x' },
            { name: 'B', value: '2' },
          ],
        },
      ],
    };
    expect((strategicMerge(base, patch) as typeof base).containers[0]?.env).toEqual([
      { name: 'A', value: '1' },
      { name: 'POD', value: 'x' },
      { name: 'B', value: '2' },
    ]);
  });

  it.each([
    ['replaces requests and limits', { requests: { memory: '1Gi' } }, { requests: { memory: '1Gi' } }],
    ['keeps them when nothing is said of them', {}, { requests: { cpu: '100m', memory: '128Mi' } }],
    ['has none of them when they are taken away', null, undefined],
  ])('%s, which are all or nothing', (_, resources, expected) => {
    const merged = strategicMerge(base, { containers: [{ name: 'main', resources }] }) as typeof base;
    expect(merged.containers[0]?.resources).toEqual(expected);
  });

  it('leaves a probe one way to probe, and its other settings', () => {
    const patch = { containers: [{ name: 'main', livenessProbe: { exec: { command: ['true'] } } }] };
    expect((strategicMerge(base, patch) as typeof base).containers[0]?.livenessProbe).toEqual({
      exec: { command: ['true'] },
      periodSeconds: 10,
    });
  });

  it('takes away what is null, and never passes a null on', () => {
    const patch = {
      serviceAccountName: null,
      containers: [{ name: 'main', livenessProbe: { periodSeconds: null }, resources: { requests: { cpu: null } } }],
      affinity: { nodeAffinity: null },
    };
    const merged = strategicMerge(base, patch) as Partial<typeof base> & { affinity: object };
    expect(merged).not.toHaveProperty('serviceAccountName');
    expect(merged.containers?.[0]?.livenessProbe).toEqual({ httpGet: { path: '/health' } });
    expect(merged.containers?.[0]?.resources).toEqual({ requests: {} });
    expect(merged.affinity).toEqual({});
  });

  it('changes neither of its two', () => {
    const before = structuredClone(base);
    strategicMerge(base, {
      containers: [{ name: 'main', args: null, env: [{ name: 'A', value: '2' }] }],
      volumes: null,
    });
    expect(base).toEqual(before);
  });
});
