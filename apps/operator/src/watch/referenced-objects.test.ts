import { expect, it } from 'vitest';
import { referencedObjects } from './referenced-objects.js';

it('finds what a spec names, in every kind of field', () => {
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

it('finds what a configYAML names, and nothing in one that is none', () => {
  const configYAML =
    'sources: [{ name: a, configMapRef: { name: catalogue, key: k } }, { name: b, pvcRef: { claimName: c } }]';
  expect([...referencedObjects({ configYAML })]).toEqual(['ConfigMap/catalogue', 'PersistentVolumeClaim/c']);
  expect([...referencedObjects({ configYAML: 'sources: [' })]).toEqual([]);
});

it('bears with whatever stands where an object should', () => {
  expect([...referencedObjects({ configMapRef: null, pvcRef: 'x', secret: { secretName: 7 }, list: [null] })]).toEqual(
    [],
  );
  expect([...referencedObjects(undefined)]).toEqual([]);
});
