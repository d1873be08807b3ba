/**
 * Specs with exactly one error each, for the tests of the parser and of everything that must report the same errors.
 */

const anonymous = { mode: 'anonymous' };
export const provider = { name: 'keycloak', issuerUrl: 'https://id.example.com/realms/tools', audience: 'catalogue' };
export const oauth = { mode: 'oauth', oauth: { providers: [provider] } };
export const git = { repository: 'https://git.example.com/tools/catalogue.git' };
export const secret = { name: 'credentials', key: 'password' };
export const database = {
  dbAppUserPasswordSecretRef: secret,
  dbMigrationUserPasswordSecretRef: { ...secret, key: 'migration' },
};

/** Returns a valid spec with one valid source, changed in one respect. */
export const withSpec = (change: object) => ({ auth: anonymous, registries: [{ name: 'main', git }], ...change });
export const withSource = (...sources: unknown[]) => withSpec({ registries: sources });
export const withProvider = (change: object) =>
  withSpec({ auth: { mode: 'oauth', oauth: { providers: [{ ...provider, ...change }] } } });
export const introspecting = (providers: readonly object[], more: object = {}) => {
  const introspectionUrl = 'https://login.example.com/introspect';
  const named = providers.map((each, at) => ({ ...provider, name: `p${at}`, introspectionUrl, ...each }));
  return withSpec({ auth: { mode: 'oauth', oauth: { providers: named, ...more } } });
};
export const publishing = (managed: object, oauth: object = {}) => ({
  ...withDatabase({}),
  auth: { oauth: { providers: [provider], ...oauth } },
  registries: [{ name: 'own', managed }],
});
export const withDatabase = (change: object) => withSpec({ databaseConfig: { ...database, ...change } });
export const withRaw = (change: object) => ({ configYAML: 'auth: {mode: anonymous}', ...change });

/** Specs with exactly one error, and words of its message. */
// prettier-ignore
export const FAULTY_SPECS: readonly (readonly [spec: unknown, words: string])[] = [
    // The spec as a whole
    [undefined, 'spec: is required'],
    [null, 'spec: must be an object with fields, but is empty'],
    ['text', 'spec: "text" must be an object'],
    [withSpec({ databseConfig: {} }), 'spec.databseConfig: is not a field here: did you mean databaseConfig?'],
    [withSpec({ zzz: 1 }), 'spec.zzz: is not a field here: check its name and its place; the fields here are displayName, registries, auth'],
    [withSpec({ displayName: 7 }), 'spec.displayName: 7 must be text: put it in quotes'],
    [withSpec({ displayName: 1.1 }), 'spec.displayName: 1.1 must be text: put what is written there in quotes'],
    [withSpec({ enforceServers: 'yes' }), 'spec.enforceServers: "yes" must be true or false'],
    [withSpec({ podTemplateSpec: [] }), 'spec.podTemplateSpec: must be an object'],

    // Console and public URL
    [withSpec({ publicUrl: 'tools.example.com' }), 'spec.publicUrl: "tools.example.com" must start with http://'],
    [withSpec({ publicUrl: 'https://u:p@tools.example.com' }), 'must not contain a user name or password'],
    [withSpec({ publicUrl: 'https://tools.example.com/?a' }), 'must not have a query or a fragment'],
    [withSpec({ console: { login: { provider: 'p', clientId: 'c' } } }), 'spec.console.login.provider: "p" must name one of auth.oauth.providers'],
    [{ auth: oauth, console: { login: { provider: 'q', clientId: 'c' } } }, 'spec.console.login.provider: "q" must name one of auth.oauth.providers'],
    [{ auth: oauth, console: { login: { provider: 'keycloak' } } }, 'spec.console.login.clientId: is required'],
    [{ auth: oauth, console: { login: { provider: 'keycloak', clientId: 'c', parameters: { state: 'x' } } } }, 'sets a parameter that the console sets itself'],
    [{ auth: oauth, console: { login: { provider: 'keycloak', clientId: 'c', parameters: { redirect_to: 'x' } } } }, 'sets a parameter that the console sets itself'],
    [{ auth: oauth, console: { login: { provider: 'keycloak', clientId: 'c', parameters: { a: '', b: '', c: '', d: '', e: '', f: '' } } } }, 'must have at most 5'],
    [{ auth: oauth, console: { login: { provider: 'keycloak', clientId: 'c', scopes: ['a b'] } } }, 'spec.console.login.scopes[0]: "a b" must be a scope'],
    [{ configYAML: 'auth: { mode: anonymous }', console: {} }, 'spec.console: cannot be combined with configYAML'],

    // Authentication
    [{ registries: [{ name: 'a', git }] }, 'spec.auth: is required: set auth.mode'],
    [{}, 'spec.auth: is required: set auth.mode'],
    [{ auth: anonymous, authConfig: anonymous }, 'spec.authConfig: cannot be combined with auth: set only one of auth and authConfig'],
    [{ auth: {} }, 'spec.auth.oauth.providers: must name at least one identity provider'],
    [{ authConfig: { mode: 'oauth' } }, 'spec.authConfig.oauth.providers: must name at least one identity provider'],
    [{ auth: { oauth: {} } }, 'spec.auth.oauth.providers: must name at least one identity provider'],
    [{ auth: { oauth: { providers: [] } } }, 'spec.auth.oauth.providers: must have at least 1 item'],
    [{ auth: { mode: 'none' } }, 'spec.auth.mode: "none" must be one of oauth, anonymous'],
    [{ auth: 'anonymous' }, 'spec.auth: "anonymous" must be an object'],
    [{ auth: { ...oauth, publicRead: ['a', 'aa'] }, registries: [{ name: 'a', git }] }, 'spec.auth.publicRead[1]: "aa" is not served here: did you mean a?'],
    [{ authConfig: { ...oauth, publicRead: ['tools'] }, registries: [{ name: 'a', git }] }, 'spec.authConfig.publicRead[0]: "tools" is not served here: remove it, or use one of a'],
    [{ auth: { ...anonymous, publicRead: 'local' } }, 'spec.auth.publicRead: "local" must be a list'],
    [{ auth: { oauth: { ...oauth.oauth, resourceUrl: '/x' } } }, 'spec.auth.oauth.resourceUrl: "/x" must start with http://'],
    [{ auth: { oauth: { ...oauth.oauth, realm: 'a\nb' } } }, 'spec.auth.oauth.realm: "a\\nb" must be printable ASCII'],
    [{ auth: { oauth: { ...oauth.oauth, scopesSupported: ['a b'] } } }, 'spec.auth.oauth.scopesSupported[0]: "a b" must be a scope'],
    [{ auth: { oauth: { providers: [provider, provider] } } }, 'providers[1].name: "keycloak" is also the name of item 0'],
    [{ auth: { oauth: { providers: Array.from({ length: 11 }, (_, n) => ({ ...provider, name: `p${n}` })) } } }, 'providers: must have at most 10 items'],
    [withProvider({ name: '' }), 'providers[0].name: must not be empty'],
    [withProvider({ audience: undefined }), 'providers[0].audience: is required: the audience that a token must be issued for'],
    [withProvider({ issuerUrl: 'id.example.com' }), 'providers[0].issuerUrl: "id.example.com" must start with http'],
    [withProvider({ issuerUrl: 'http://id.example.com' }), 'providers[0].issuerUrl: "http://id.example.com" must start with https://'],
    [withProvider({ jwksUrl: 'https://' }), 'providers[0].jwksUrl: "https://" must be a complete URL'],
    [withProvider({ introspectionUrl: 'x' }), 'providers[0].introspectionUrl: "x" must start with http'],
    [withProvider({ caCertPath: 'ca.crt' }), 'providers[0].caCertPath: "ca.crt" must be an absolute path'],
    [withProvider({ clientSecretFile: 'secret.txt' }), 'providers[0].clientSecretFile: must be an absolute path'],
    [withProvider({ authTokenRef: { key: 'x' } }), 'providers[0].authTokenRef.name: is required: the name of the Secret'],
    [withProvider({ issuer: 'https://x' }), 'providers[0].issuer: is not a field here'],

    // The list of sources
    [withSpec({ registries: [] }), 'spec.registries: must not be empty: add a source, or remove the field'],
    [withSpec({ registries: { name: 'a', git } }), 'spec.registries: must be a list'],
    [withSource(...Array.from({ length: 21 }, (_, n) => ({ name: `s${n}`, git }))), 'spec.registries: must have at most 20 items'],
    [withSource({ name: 'a', git }, { name: 'b', git }, { name: 'a', git }), 'spec.registries[2].name: "a" is also the name of item 0'],
    [withSource('a'), 'spec.registries[0]: "a" must be an object'],
    [withSource({ git }), 'spec.registries[0].name: is required: name identifies the source'],
    [withSource({ name: '../x', git }), 'spec.registries[0].name: "../x" must begin and end with a letter or digit'],
    [withSource({ name: 'a'.repeat(64), git }), 'spec.registries[0].name: "aaa'],
    [withSource({ name: 'a', git, format: 'yaml' }), 'spec.registries[0].format: "yaml" must be one of toolhive, upstream'],
    [withSource({ name: 'a' }), 'spec.registries[0]: must have a source: add one of '],
    [withSource({ name: 'a', git, pvcRef: { claimName: 'c' } }), 'spec.registries[0]: must have one source but has git and pvcRef'],
    [withSource({ name: 'a', managed: {} }), 'spec.registries[0].managed: needs databaseConfig'],
    [publishing({}), 'spec.registries[0].managed: needs auth.oauth.requiredScopes.write'],
    [publishing({ namePrefixes: ['io.a/'] }, { requiredScopes: { read: 'r' } }), 'spec.registries[0].managed: needs auth.oauth.requiredScopes.write'],
    [publishing({ writers: 'nobody' }), 'spec.registries[0].managed.writers: "nobody" must be everyone'],
    ...['io.a', 'a/b/c', '', '*', 'io.a/ b'].map((prefix): [object, string] => [
      publishing({ writers: 'everyone', namePrefixes: [prefix] }),
      'spec.registries[0].managed.namePrefixes[0]: ',
    ]),
    [publishing({ writers: 'everyone', namePrefixes: [] }), 'managed.namePrefixes: must have at least 1 item'],
    [
      { configYAML: `auth: {oauth: {providers: [{name: p, issuerUrl: "https://a.example.com", audience: a}]}}\ndatabase: {host: h, user: u, database: d}\nregistries:\n- name: a\n  managed: {}` },
      'registries[0].managed: needs auth.oauth.requiredScopes.write',
    ],
    [{ ...withDatabase({}), registries: [{ name: 'a', managed: {}, filter: {} }] }, 'spec.registries[0].filter: '],
    ...['com.example/', '', 'a b', '.example', 'x'.repeat(129)].map((defaultNamespace): [object, string] => [
      withSource({ name: 'a', git, defaultNamespace }),
      'spec.registries[0].defaultNamespace: ',
    ]),
    [
      { ...withDatabase({}), registries: [{ name: 'a', managed: {}, defaultNamespace: 'com.example' }] },
      'spec.registries[0].defaultNamespace: ',
    ],
    [{ ...withDatabase({}), registries: [{ name: 'a', managed: { x: 1 } }] }, 'spec.registries[0].managed.x: is not a field here'],

    // The blocks of sources
    [withSource({ name: 'a', git: {} }), 'spec.registries[0].git.repository: is required'],
    [withSource({ name: 'a', git: { repository: '/srv/x' } }), 'spec.registries[0].git.repository: "/srv/x" must start with'],
    [withSource({ name: 'a', git: { ...git, path: 'a.yaml' } }), 'spec.registries[0].git.path: "a.yaml" must be a .json file, a folder, or a pattern'],
    [withSource({ name: 'a', git: { ...git, path: '/a.json' } }), 'spec.registries[0].git.path: "/a.json" must be relative'],
    [withSource({ name: 'a', git: { ...git, path: '../a.json' } }), 'spec.registries[0].git.path: "../a.json" must be relative'],
    [withSource({ name: 'a', git: { ...git, branch: '' } }), 'spec.registries[0].git.branch: must not be empty'],
    [withSource({ name: 'a', git: { ...git, brnach: 'main' } }), 'spec.registries[0].git.brnach: is not a field here: did you mean branch?'],
    [withSource({ name: 'a', git: { ...git, auth: { username: 'u' } } }), 'spec.registries[0].git.auth.passwordSecretRef: is required'],
    [withSource({ name: 'a', git: { ...git, auth: { passwordSecretRef: secret } } }), 'spec.registries[0].git.auth.username: is required'],
    [withSource({ name: 'a', git: { ...git, auth: { username: 'u', passwordSecretRef: { name: 's' } } } }), 'passwordSecretRef.key: is required: the key in the data of the Secret'],
    [withSource({ name: 'a', configMapRef: { key: 'k' } }), 'spec.registries[0].configMapRef.name: is required'],
    [withSource({ name: 'a', configMapRef: { name: 'Data', key: 'k' } }), 'spec.registries[0].configMapRef.name: "Data" must be the name of an object'],
    [withSource({ name: 'a', pvcRef: {} }), 'spec.registries[0].pvcRef.claimName: is required'],
    [withSource({ name: 'a', pvcRef: { claimName: 'c', path: 'a/../../b.json' } }), 'spec.registries[0].pvcRef.path: "a/../../b.json" must be relative'],
    [withSource({ name: 'a', api: {} }), 'spec.registries[0].api.endpoint: is required: the base URL'],
    [withSource({ name: 'a', api: { endpoint: 'ftp://x' } }), 'spec.registries[0].api.endpoint: "ftp://x" must start with http'],
    [withSource({ name: 'a', api: { endpoint: 'https://x', timeout: '5' } }), 'spec.registries[0].api.timeout: "5" must be a Go duration'],

    // Several providers for opaque tokens
    ...(
      [
        [[{}, {}]],
        [[{ tokenPrefix: 'a_' }, {}]],
        [[{ tokenPrefix: 'a_' }, { tokenPrefix: 'a_' }]],
        [[{ tokenPrefix: 'a_' }, { tokenPrefix: 'a_b' }]],
        [[{ tokenPrefix: 'a_' }, { tokenPrefix: 'b_' }, {}]],
      ] as const
    ).map(([each]): [object, string] => [
      introspecting(each),
      'spec.auth.oauth.providers: several providers introspect opaque tokens: give each a tokenPrefix that is not the beginning of another one',
    ]),
    [introspecting([{ tokenPrefix: 'a b' }]), 'spec.auth.oauth.providers[0].tokenPrefix: must be the beginning of a token'],
    [introspecting([{ introspectionClientIds: [] }]), 'introspectionClientIds: must have at least 1 item'],

    // Policy and filter
    [withSource({ name: 'a', git, syncPolicy: {} }), 'spec.registries[0].syncPolicy.interval: is required'],
    [withSource({ name: 'a', git, syncPolicy: { interval: '1d' } }), 'spec.registries[0].syncPolicy.interval: "1d" must be a Go duration'],
    [withSource({ name: 'a', git, syncPolicy: { interval: '0s' } }), 'spec.registries[0].syncPolicy.interval: "0s" must be longer than zero'],
    [withSource({ name: 'a', git, syncPolicy: { interval: 30 } }), 'spec.registries[0].syncPolicy.interval: 30 must be text'],
    [withSource({ name: 'a', git, filter: { names: { include: ['ok', '[a'] } } }), 'filter.names.include[1]: "[a" is not a pattern: it has a "["'],
    [withSource({ name: 'a', git, filter: { names: { exclude: ['x\\'] } } }), 'filter.names.exclude[0]: "x\\\\" is not a pattern: it ends in a backslash'],
    [withSource({ name: 'a', git, filter: { names: { exclude: [''] } } }), 'filter.names.exclude[0]: must not be empty'],
    [withSource({ name: 'a', git, filter: { names: { include: 'x' } } }), 'filter.names.include: "x" must be a list'],
    [withSource({ name: 'a', git, filter: { names: { include: Array(201).fill('x') } } }), 'filter.names.include: must have at most 200 items'],
    [withSource({ name: 'a', git, filter: { tags: { include: ['x'.repeat(257)] } } }), 'must have at most 256 characters'],
    [withSource({ name: 'a', git, filter: { name: {} } }), 'filter.name: is not a field here: did you mean names?'],

    // Database
    [withSpec({ databaseConfig: { dbAppUserPasswordSecretRef: secret } }), 'spec.databaseConfig.dbMigrationUserPasswordSecretRef: is required'],
    [withDatabase({ dbAppUserPasswordSecretRef: { name: '', key: 'k' } }), 'dbAppUserPasswordSecretRef.name: must be the name'],
    [withDatabase({ dbAppUserPasswordSecretRef: { name: 's', key: '' } }), 'dbAppUserPasswordSecretRef.key: must be a key'],
    [withDatabase({ host: 'postgres://x' }), 'spec.databaseConfig.host: "postgres://x" must be a host name or address alone'],
    [withDatabase({ port: 0 }), 'spec.databaseConfig.port: 0 must be at least 1'],
    [withDatabase({ port: 65536 }), 'spec.databaseConfig.port: 65536 must be at most 65535'],
    [withDatabase({ port: 1.5 }), 'spec.databaseConfig.port: 1.5 must be a whole number'],
    [withDatabase({ port: '5432' }), 'spec.databaseConfig.port: "5432" must be a number'],
    [withDatabase({ user: '' }), 'spec.databaseConfig.user: must not be empty'],
    [withDatabase({ database: 'x'.repeat(64) }), 'must have at most 63 characters'],
    [withDatabase({ sslMode: 'on' }), 'spec.databaseConfig.sslMode: "on" must be one of disable, allow, prefer'],
    [withDatabase({ maxOpenConns: 0 }), 'spec.databaseConfig.maxOpenConns: 0 must be at least 1'],
    [withDatabase({ maxIdleConns: -1 }), 'spec.databaseConfig.maxIdleConns: -1 must be at least 0'],
    [withDatabase({ connMaxLifetime: 'forever' }), 'spec.databaseConfig.connMaxLifetime: "forever" must be a Go duration'],

    // The raw path
    [{ configYAML: '' }, 'spec.configYAML: must not be empty'],
    [{ configYAML: 'a: 1\nb: [' }, 'spec.configYAML: line 2: is not YAML: '],
    [{ configYAML: 'auth: {mode: anonymous}\nregistries:\n- name: a\n- name: b\n  git: {repository: x}' }, 'spec.configYAML: line 3: registries[0]: must have a source: add one of git, configMapRef, pvcRef, api, managed, kubernetes, file; line 5: registries[1].git.repository: "x" must start with'],
    [{ configYAML: 'registries: []' }, 'line 1: auth: is required: auth says who may use the registry'],
    [withRaw({ auth: anonymous }), 'spec.auth: cannot be combined with configYAML'],
    [withRaw({ authConfig: anonymous }), 'spec.authConfig: cannot be combined with configYAML'],
    [withRaw({ registries: [{ name: 'a', git }] }), 'spec.registries: cannot be combined with configYAML'],
    [withRaw({ databaseConfig: database }), 'spec.databaseConfig: cannot be combined with configYAML'],
    [withSpec({ volumes: [] }), 'spec.volumes: is only for configYAML'],
    [withSpec({ volumeMounts: [] }), 'spec.volumeMounts: is only for configYAML'],
    [withSpec({ pgpassSecretRef: secret }), 'spec.pgpassSecretRef: is only for configYAML'],
    [withRaw({ pgpassSecretRef: { name: 's' } }), 'spec.pgpassSecretRef.key: is required'],
    [withRaw({ volumes: [{ emptyDir: {} }] }), 'spec.volumes[0].name: is required: the name of the volume'],
    [withRaw({ volumes: [{ name: 'registry-server-config' }] }), 'spec.volumes[0].name: "registry-server-config" is the name of a volume of the operator'],
    [withRaw({ pgpassSecretRef: secret, volumes: [{ name: 'pgpass' }] }), 'spec.volumes[0].name: "pgpass" is the name of a volume of the operator'],
    [withRaw({ volumeMounts: [{ name: 'a', mountPath: '/config' }] }), 'spec.volumeMounts[0].mountPath: "/config" is mounted already'],
    [withRaw({ volumeMounts: [{ name: 'a', mountPath: '/x' }, { name: 'b', mountPath: '/x' }] }), 'spec.volumeMounts[1].mountPath: "/x" is mounted already'],
    [withSpec({ imagePullSecrets: ['pull'] }), 'spec.imagePullSecrets[0]: must be an object'],
  ];

/** Invalid specs that contain the secret `hunter2`. */
export const SPECS_WITH_SECRETS: readonly (readonly [what: string, spec: unknown])[] = [
  ['a password in place of a reference', withDatabase({ dbAppUserPasswordSecretRef: 'hunter2' })],
  ['a secret in place of its file', withProvider({ clientSecretFile: 'hunter2' })],
  ['a token in place of its file', withProvider({ authTokenFile: 'hunter2' })],
  ['a field that does not exist', withDatabase({ dbPassword: 'hunter2' })],
  ['a configuration', withRaw({ configYAML: 'password: hunter2\nb: [' })],
  ['a password that begins like an alias', withRaw({ configYAML: 'password: *hunter2' })],
  ['the credentials in an endpoint', withSource({ name: 'a', api: { endpoint: 'https://me:hunter2@example.com' } })],
  ['the token in a query', withSource({ name: 'a', api: { endpoint: 'example.com/?token=hunter2' } })],
  ['the credentials in a repository', withSource({ name: 'a', git: { repository: 'ftp://me:hunter2@example.com' } })],
];
