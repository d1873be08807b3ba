import { expect, it } from 'vitest';
import { parseRegistrySpec } from './registry-spec.js';

const auth = { mode: 'anonymous' };
const repository = 'https://git.example.com/tools.git';
const secret = { name: 's', key: 'k' };
const provider = { name: 'idp', issuerUrl: 'https://idp.example.com', audience: 'a' };
const database = { dbAppUserPasswordSecretRef: secret, dbMigrationUserPasswordSecretRef: secret };

const withGit = (git: object) => ({ auth, registries: [{ name: 'a', git: { repository, ...git } }] });

const noticesOf = (spec: object) => {
  const parsed = parseRegistrySpec(spec);
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.notices.map(({ reason, message }) => `${reason}: ${message}`);
};

it.each<[object, string]>([
  [
    { auth, enforceServers: true },
    'EnforceServersIgnored: spec.enforceServers is accepted for compatibility and has no effect',
  ],
  [withGit({ branch: 'b', tag: 't' }), 'MultipleGitRefs: a: git.tag t takes precedence over git.branch b'],
  [
    withGit({ branch: 'b', tag: 't', commit: 'c'.repeat(40) }),
    `MultipleGitRefs: a: git.commit ${'c'.repeat(40)} takes precedence over git.tag t and git.branch b`,
  ],
  [
    {
      configYAML: `auth: {mode: anonymous}\nregistries: [{name: a, git: {repository: "${repository}", tag: t, branch: b}}]`,
    },
    'MultipleGitRefs: a: git.tag t takes precedence over git.branch b',
  ],
  [
    withGit({ repository: 'http://git.example/x', auth: { username: 'a', passwordSecretRef: secret } }),
    'CredentialsUnprotected: a: the credentials of its auth are sent over http://, where others can read them: set git.repository to an https:// URL',
  ],
  ...(
    [
      ['http://x.example', 'https://y.example', 'api.endpoint'],
      ['https://x.example', 'http://y.example', 'api.auth.clientCredentials.tokenUrl'],
    ] as const
  ).map(([endpoint, tokenUrl, field]): [object, string] => [
    {
      auth,
      registries: [
        {
          name: 'a',
          api: { endpoint, auth: { clientCredentials: { tokenUrl, clientId: 'c', clientSecretRef: secret } } },
        },
      ],
    },
    `CredentialsUnprotected: a: the credentials of its auth are sent over http://, where others can read them: set ${field} to an https:// URL`,
  ]),
  [{ auth: { ...auth, oauth: { realm: 'x' } } }, 'RefsIgnored: spec.auth.oauth is ignored: the mode is anonymous'],
  [
    { authConfig: { ...auth, oauth: { providers: [provider] } } },
    'RefsIgnored: spec.authConfig.oauth is ignored: the mode is anonymous',
  ],
  [
    { auth: { oauth: { providers: [{ ...provider, caCertPath: '/secrets/ca.crt', caCertRef: { name: 'ca' } }] } } },
    'RefsIgnored: provider idp: caCertRef is ignored, because caCertPath takes precedence',
  ],
  [
    { auth, databaseConfig: { ...database, maxOpenConns: 3, maxIdleConns: 5 } },
    'IdleConnectionsLimited: databaseConfig.maxIdleConns is 5, but at most maxOpenConns (3) connections are ever open',
  ],
  ...(
    [
      ['issuerUrl', { issuerUrl: 'https://keycloak.auth.svc/realms/r' }],
      ['issuerUrl', { issuerUrl: 'https://keycloak.auth.svc.cluster.local/realms/r' }],
      ['issuerUrl', { issuerUrl: 'https://keycloak/realms/r' }],
      ['issuerUrl', { issuerUrl: 'http://localhost:8080' }],
      ['jwksUrl', { jwksUrl: 'https://10.0.0.1/keys' }],
      ['jwksUrl', { jwksUrl: 'https://[fd00::1]/keys' }],
      ['introspectionUrl', { introspectionUrl: 'https://192.168.0.1/introspect' }],
      ['introspectionUrl', { introspectionUrl: 'https://0x7f.1/introspect' }],
    ] as const
  ).map(([field, fields]): [object, string] => [
    { auth: { oauth: { providers: [{ ...provider, ...fields }] } } },
    `ProviderAddressRefused: provider idp: no token can be checked, since requests to the address of ${field} are refused: set allowPrivateIP if the provider belongs there, or correct the URL`,
  ]),
  [
    { auth: { oauth: { providers: [{ ...provider, jwksUrl: 'http://169.254.169.254/', allowPrivateIP: true }] } } },
    'ProviderAddressRefused: provider idp: no token can be checked, since requests to the address of jwksUrl are refused: correct the URL: it is a link-local, metadata or reserved address',
  ],
])('%j is accepted with a notice', (spec, notice) => {
  expect(noticesOf(spec)).toEqual([notice]);
});

it('reports nothing for a spec without ineffective settings', () => {
  const oauth = { providers: [{ ...provider, caCertRef: { name: 'ca' }, authTokenFile: '/secrets/idp/token' }] };
  expect(noticesOf({ ...withGit({ branch: 'b' }), auth: { oauth }, databaseConfig: database })).toEqual([]);
  const inside = {
    issuerUrl: 'https://keycloak.auth.svc/realms/r',
    jwksUrl: 'https://10.0.0.1/keys',
    allowPrivateIP: true,
  };
  const keysElsewhere = { issuerUrl: 'https://kubernetes.default.svc', jwksUrl: 'https://8.8.8.8/keys' };
  for (const fields of [inside, keysElsewhere]) {
    expect(noticesOf({ auth: { oauth: { providers: [{ ...provider, ...fields }] } } })).toEqual([]);
  }
});
