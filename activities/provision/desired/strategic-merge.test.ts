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
  it('changes nothing for an empty patch', () => {
    expect(strategicMerge(base, {})).toEqual(base);
  });

  it('finds items by their key, keeps the others, and adds new ones at the end', () => {
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

  it('replaces lists without a key as a whole', () => {
    const merged = strategicMerge(base, { containers: [{ name: 'main', args: ['other'] }] }) as typeof base;
    expect(merged.containers[0]?.args).toEqual(['other']);
  });

  it.each([
    ['volumes', { volumes: [{ name: 'tmp', hostPath: { path: '/x' } }] }, [{ name: 'tmp', hostPath: { path: '/x' } }]],
    ['tolerations', { tolerations: [{ key: 'a' }] }, [{ key: 'a' }]],
  ])('replaces items of %s as a whole, because each has one of several alternative fields', (list, patch, expected) => {
    expect(strategicMerge(base, patch)[list]).toEqual(expected);
  });

  it('replaces a variable as a whole, so that it has only one value', () => {
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
  ])('replaces %s as a whole', (_, resources, expected) => {
    const merged = strategicMerge(base, { containers: [{ name: 'main', resources }] }) as typeof base;
    expect(merged.containers[0]?.resources).toEqual(expected);
  });

  it('leaves a probe with one handler, and keeps its other settings', () => {
    const patch = { containers: [{ name: 'main', livenessProbe: { exec: { command: ['true'] } } }] };
    expect((strategicMerge(base, patch) as typeof base).containers[0]?.livenessProbe).toEqual({
      exec: { command: ['true'] },
      periodSeconds: 10,
    });
  });

  it('removes fields that are null, and never keeps a null', () => {
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

  it('does not modify its arguments', () => {
    const before = structuredClone(base);
    strategicMerge(base, {
      containers: [{ name: 'main', args: null, env: [{ name: 'A', value: '2' }] }],
      volumes: null,
    });
    expect(base).toEqual(before);
  });
});
