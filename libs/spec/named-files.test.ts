import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseRegistrySpec } from './registry-spec.js';
import { formatFault } from './spec-fault.js';

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const provider = { name: 'p', issuerUrl: 'https://id.example.com', audience: 'a' };
const authOf = (fields: object) => ({ mode: 'oauth', oauth: { providers: [{ ...provider, ...fields }] } });
const typed = (fields: object, more: object = {}) => ({ auth: authOf(fields), ...more });
const raw = (fields: object, more: object = {}) => ({ configYAML: stringify({ auth: authOf(fields) }), ...more });
const git = (passwordFile: string, more: object = {}) => {
  const source = { name: 'g', git: { repository: 'https://git.example.com/a', auth: { username: 'u', passwordFile } } };
  return { configYAML: stringify({ auth: { mode: 'anonymous' }, registries: [source] }), ...more };
};
const mounted = (mountPath: string, volume: { name: string } & Record<string, unknown>) => ({
  volumes: [volume],
  volumeMounts: [{ name: volume.name, mountPath }],
});

function faultsOf(spec: object): string[] {
  const parsed = parseRegistrySpec(spec);
  return 'faults' in parsed ? parsed.faults.map(formatFault) : [];
}

const FORBIDDEN = [
  '/temporal/tls.key',
  '/temporal/apiKey',
  '/home/appuser/.pgpass',
  '/pgpass/pgpass',
  '/proc/self/environ',
  '/data/cache/x',
  '/config/config.yaml',
  '/config/registry/other/registry.json',
  '/etc/passwd',
  '/secrets',
  '/secretsx/a',
  '/secrets/../temporal/apiKey',
  '//temporal/apiKey',
  '/run/secrets/kubernetes.io/serviceaccount/token',
  TOKEN,
];

it.each(FORBIDDEN)('rejects %s in every field with a file name', (file) => {
  for (const field of ['clientSecretFile', 'caCertPath', 'authTokenFile']) {
    expect(faultsOf(typed({ [field]: file }))).toEqual([expect.stringContaining(`${field}: may not be read`)]);
    expect(faultsOf(raw({ [field]: file }))).toEqual([expect.stringContaining(`${field}: may not be read`)]);
  }
  expect(faultsOf(git(file))).toEqual([
    expect.stringContaining('registries[0].git.auth.passwordFile: may not be read'),
  ]);
});

it('reports the field under its other name', () => {
  expect(faultsOf({ authConfig: authOf({ clientSecretFile: '/etc/x' }) })).toEqual([
    expect.stringContaining('spec.authConfig.oauth.providers[0].clientSecretFile: may not be read'),
  ]);
});

it('allows files below the mounts of references and of own volumes', () => {
  const own = mounted('/run/secrets/git', { name: 'v', secret: { secretName: 'mine' } });
  const template = {
    podTemplateSpec: {
      spec: {
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [{ name: 'registry-api', volumeMounts: [{ name: 'v', mountPath: '/mnt/v/' }] }],
      },
    },
  };
  expect(faultsOf(git('/run/secrets/git/token', own))).toEqual([]);
  expect(faultsOf(raw({ clientSecretFile: '/run/secrets/git/token' }, own))).toEqual([]);
  expect(faultsOf(typed({ clientSecretFile: '/mnt/v/x' }, template))).toEqual([]);
  expect(faultsOf(typed({ clientSecretFile: '/secrets/oidc/x', caCertPath: '/config/certs/ca/ca.crt' }))).toEqual([]);
});

it.each([
  ['a mount of everything', '/temporal/apiKey', mounted('/', { name: 'v', emptyDir: {} })],
  ['a volume of the operator', '/secrets/t/apiKey', { volumeMounts: [{ name: 'temporal', mountPath: '/secrets/t' }] }],
  ['its Secret', '/mnt/t/apiKey', mounted('/mnt/t', { name: 'v', secret: { secretName: 'r-temporal' } })],
  [
    'its Secret, projected',
    '/secrets/t/pgpass',
    mounted('/secrets/t/', { name: 'v', projected: { sources: [{ secret: { name: 'r-db-pgpass' } }] } }),
  ],
])('does not read through %s', (_, file, more) => {
  expect(faultsOf(raw({ clientSecretFile: file }, more))).toEqual([expect.stringContaining('may not be read')]);
});

it.each<[string, object, boolean]>([
  ['the API server', { issuerUrl: 'https://kubernetes.default.svc.cluster.local' }, true],
  ['its keys', { jwksUrl: 'https://kubernetes.default.svc/openid/v1/jwks' }, true],
  ['another host', {}, false],
  ['a host that begins alike', { jwksUrl: 'https://kubernetes.default.svc.evil.example/' }, false],
  ['a host behind user information', { jwksUrl: 'https://kubernetes.default.svc\\@evil.example/' }, false],
  ['a Service of the namespace', { jwksUrl: 'https://kubernetes/openid/v1/jwks' }, false],
  ['keys elsewhere', { issuerUrl: 'https://kubernetes.default.svc', jwksUrl: 'https://evil.example/' }, false],
  [
    'introspection elsewhere',
    { jwksUrl: 'https://kubernetes.default.svc/openid/v1/jwks', introspectionUrl: 'https://evil.example/' },
    false,
  ],
])('sends the token of the service account to %s: %o', (_, fields, isSent) => {
  for (const spec of [typed, raw]) {
    expect(faultsOf(spec({ ...fields, authTokenFile: TOKEN })).length === 0).toBe(isSent);
  }
});

it.each(['r-temporal', 'r-db-pgpass'])('rejects a reference to the Secret %s of the operator', (name) => {
  const ref = { name, key: 'k' };
  const gitOf = (auth: object) => ({
    auth: { mode: 'anonymous' },
    registries: [{ name: 'g', git: { repository: 'https://git.example.com/a', auth } }],
  });
  for (const spec of [
    typed({ clientSecretRef: ref }),
    typed({ authTokenRef: ref }),
    raw({ authTokenRef: ref }),
    gitOf({ username: 'u', passwordSecretRef: ref }),
    { configYAML: 'auth: {mode: anonymous}', pgpassSecretRef: ref },
  ]) {
    expect(faultsOf(spec)).toEqual([expect.stringContaining('must not end in -temporal or -db-pgpass')]);
  }
});
