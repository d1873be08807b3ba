import { describe, expect, it } from 'vitest';
import { REFERENCE_LIMIT, referencedObjects } from './referenced-objects.js';

it('finds the references of a spec in every kind of field', () => {
  const ref = (name: string) => ({ name, key: 'k' });
  const spec = {
    registries: [
      { name: 'a', configMapRef: ref('catalogue') },
      { name: 'b', pvcRef: { claimName: 'claim' } },
      {
        name: 'c',
        git: { auth: { passwordSecretRef: ref('git'), sshKeySecretRef: ref('ssh') }, caCertRef: ref('git-ca') },
      },
    ],
    auth: {
      oauth: { providers: [{ clientSecretRef: ref('client'), authTokenRef: ref('token'), caCertRef: ref('oidc-ca') }] },
    },
    databaseConfig: { dbAppUserPasswordSecretRef: ref('db') },
    podTemplateSpec: {
      spec: {
        volumes: [
          { name: 'v', secret: { secretName: 'mounted' } },
          { name: 'w', persistentVolumeClaim: { claimName: 'mounted-claim' } },
        ],
        containers: [
          { env: [{ valueFrom: { secretKeyRef: ref('env') } }], envFrom: [{ configMapRef: { name: 'env-map' } }] },
        ],
      },
    },
  };
  expect([...referencedObjects(spec)].sort()).toEqual([
    'ConfigMap/catalogue',
    'ConfigMap/env-map',
    'ConfigMap/git-ca',
    'ConfigMap/oidc-ca',
    'PersistentVolumeClaim/claim',
    'PersistentVolumeClaim/mounted-claim',
    'Secret/client',
    'Secret/db',
    'Secret/env',
    'Secret/git',
    'Secret/mounted',
    'Secret/ssh',
    'Secret/token',
  ]);
});

it('finds the references of a configYAML, and none in an invalid one', () => {
  const configYAML =
    'sources: [{ name: a, configMapRef: { name: catalogue, key: k } }, { name: b, pvcRef: { claimName: c } }]';
  expect([...referencedObjects({ configYAML })].sort()).toEqual(['ConfigMap/catalogue', 'PersistentVolumeClaim/c']);
  expect([...referencedObjects({ configYAML: 'sources: [' })]).toEqual([]);
});

it('ignores values of the wrong type', () => {
  expect([...referencedObjects({ configMapRef: null, pvcRef: 'x', secret: { secretName: 7 }, list: [null] })]).toEqual(
    [],
  );
  expect([...referencedObjects(undefined)]).toEqual([]);
});

describe('a hostile spec', () => {
  const nested = (depth: number): object => {
    let value: object = {};
    for (let level = 0; level < depth; level++) value = { value };
    return value;
  };
  const configMapRef = { name: 'catalogue', key: 'k' };

  it.each<[string, object]>([
    ['is as deep as the API server lets through', { podTemplateSpec: nested(10_000) }],
    ['multiplies by aliases', { configYAML: `a: &a [${'[],'.repeat(20_000)}]\nb: [${'*a,'.repeat(1_000)}]` }],
    ['is longer than a configYAML may be', { configYAML: `a: [${'[],'.repeat(100_000)}]` }],
    ['is nested without end', { configYAML: '['.repeat(60_000) }],
    ['is wide', { podTemplateSpec: { list: Array.from({ length: 300_000 }, () => ({})) } }],
  ])('that %s causes no error', (_, spec) => {
    expect(() => referencedObjects({ ...spec, registries: [{ configMapRef }] })).not.toThrow();
  });

  it('leads to a bounded number of objects with valid names', () => {
    const many = Array.from({ length: 5_000 }, (_, at) => ({ secretRef: { name: `s${at}` } }));
    expect(referencedObjects({ many }).size).toBe(REFERENCE_LIMIT);
    expect([...referencedObjects({ secretRef: { name: 'x'.repeat(300) } })]).toEqual([]);
  });
});
