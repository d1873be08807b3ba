import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRegistrySpec } from './registry-spec.js';
import { formatConfigFault, parseServerConfig, renderServerConfig } from './server-config.js';
import type { ServerConfig, ServerSpec } from './server-config.js';
import { formatFault } from './spec-fault.js';

const identity = { namespace: 'team', name: 'tools' };

function configOf(text: string): ServerConfig {
  const parsed = parseServerConfig(text);
  if ('faults' in parsed) throw new Error(parsed.faults.map(formatConfigFault).join('\n'));
  return parsed;
}

function faultsOf(text: string): string[] {
  const parsed = parseServerConfig(text);
  return 'faults' in parsed ? parsed.faults.map(formatConfigFault) : [];
}

/** Returns the server configuration for a spec, with defaults filled in. */
function serverSpecOf(spec: unknown): ServerSpec {
  const parsed = parseRegistrySpec(spec);
  if ('faults' in parsed) throw new Error(parsed.faults.map(formatFault).join('\n'));
  const { podTemplateSpec: _, imagePullSecrets: __, readers: ___, raw: ____, ...server } = parsed.spec;
  return server;
}

const texts = fc
  .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
  .filter((text) => !/[\0\n\r@?#\\\s]/.test(text));
const names = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
const keys = fc.stringMatching(/^[a-z0-9_][-._a-z0-9]{0,10}$/);
const paths = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}(\/[a-z0-9 ]{1,8}){0,2}\.json$/);
const refs = fc.stringMatching(/^[a-zA-Z0-9#é][-a-zA-Z0-9#é_]{0,10}(\/[a-z0-9]{1,8})?$/);
// In the URL of a repository, "@" may only follow a user name.
const urls = fc.webUrl({ validSchemes: ['https', 'http'], withFragments: false }).filter((url) => !url.includes('@'));
const optional = { noNullPrototype: true, requiredKeys: [] as never[] };
const keyRef = fc.record(
  { name: names, key: keys, optional: fc.boolean() },
  { ...optional, requiredKeys: ['name', 'key'] },
);
const durations = fc
  .tuple(fc.integer({ min: 1, max: 99 }), fc.constantFrom('ns', 'us', 'ms', 's', 'm', 'h'))
  .map(([amount, unit]) => `${amount}${unit}`)
  .chain((first) => fc.constantFrom(first, `1h${first}`, `0.5m${first}`));

const blocks = fc.oneof(
  fc.record({
    git: fc.record(
      {
        repository: urls,
        branch: refs,
        tag: refs,
        commit: fc.stringMatching(/^[0-9a-fA-F]{40}$/),
        path: paths,
        auth: fc.oneof(
          fc.record({ username: texts, passwordSecretRef: keyRef }),
          fc.record({ sshKeySecretRef: keyRef, knownHostsSecretRef: keyRef }),
        ),
        caCertRef: keyRef,
      },
      { ...optional, requiredKeys: ['repository'] },
    ),
  }),
  fc.record({ configMapRef: keyRef }),
  fc.record({ pvcRef: fc.record({ claimName: names, path: paths }, { ...optional, requiredKeys: ['claimName'] }) }),
  fc.record({
    api: fc.record(
      { endpoint: urls, timeout: fc.constantFrom('10s', '1m') },
      { ...optional, requiredKeys: ['endpoint'] },
    ),
  }),
  fc.record({ managed: fc.constantFrom({ writers: 'everyone' }, { writers: 'everyone', namePrefixes: ['io.a/'] }) }),
);
const patterns = fc.record(
  { include: fc.array(texts, { maxLength: 3 }), exclude: fc.array(names, { maxLength: 3 }) },
  optional,
);
const source = fc
  .tuple(
    fc.record(
      {
        name: names,
        format: fc.constantFrom('toolhive', 'upstream'),
        syncPolicy: fc.record({ interval: durations }),
        filter: fc.record({ names: fc.record({ include: fc.array(names) }, optional), tags: patterns }, optional),
      },
      { ...optional, requiredKeys: ['name'] },
    ),
    blocks,
  )
  // A managed source, whose content is published here, has no filter.
  .map(([{ filter, ...entry }, block]) => ({ ...entry, ...block, ...(filter && !('managed' in block) && { filter }) }));
const provider = fc.record(
  {
    name: names,
    issuerUrl: fc.webUrl({ validSchemes: ['https'] }),
    audience: texts,
    jwksUrl: urls,
    clientId: texts,
    clientSecretFile: fc.constant('/secrets/elsewhere/secret'),
    clientSecretRef: fc.record({ name: names, key: keys }, { ...optional, requiredKeys: ['name'] }),
    caCertPath: fc.constant('/secrets/elsewhere/ca.crt'),
    caCertRef: fc.record({ name: names, key: keys }, { ...optional, requiredKeys: ['name'] }),
    authTokenFile: fc.constant('/secrets/elsewhere/token'),
    authTokenRef: fc.record({ name: names, key: keys }, { ...optional, requiredKeys: ['name'] }),
    allowPrivateIP: fc.boolean(),
  },
  { ...optional, requiredKeys: ['name', 'issuerUrl', 'audience'] },
);
const unique = { selector: ({ name }: { name: string }) => name, minLength: 1, maxLength: 4 };
/** Adds a login to the console if the registry has an OAuth provider, because a login requires one. */
const withLogin = <Spec extends { auth: object; console?: object }>(spec: Spec): Spec => {
  const [provider] = (spec.auth as { oauth?: { providers: { name: string }[] } }).oauth?.providers ?? [];
  if (!provider || !spec.console) return spec;
  const login = { provider: provider.name, clientId: 'console', scopes: ['openid'], parameters: { audience: 'a' } };
  return { ...spec, console: { ...spec.console, login } };
};
/** Makes all sources but the first public, because `publicRead` may contain only names of sources. */
const opened = <Spec extends { auth: object; registries?: readonly { name: string }[] }>(spec: Spec): Spec => ({
  ...spec,
  ...('publicRead' in spec.auth && {
    auth: { ...spec.auth, publicRead: (spec.registries ?? []).slice(1).map(({ name }) => name) },
  }),
});
const specs = fc
  .record(
    {
      displayName: texts,
      publicUrl: fc.constantFrom('https://tools.example.com', 'http://localhost:8080/a/b/'),
      console: fc.record({ enabled: fc.boolean() }, optional),
      registries: fc.uniqueArray(source, unique),
      auth: fc.oneof(
        fc.constant({ mode: 'anonymous' }),
        fc.record(
          {
            publicRead: fc.constant([]),
            oauth: fc.record(
              { realm: names, providers: fc.uniqueArray(provider, unique) },
              { ...optional, requiredKeys: ['providers'] },
            ),
          },
          { ...optional, requiredKeys: ['oauth'] },
        ),
      ),
      databaseConfig: fc.record({
        host: names,
        sslMode: fc.constantFrom('disable', 'verify-full'),
        maxIdleConns: fc.nat(20),
        caCertRef: keyRef,
        dbAppUserPasswordSecretRef: keyRef,
        dbMigrationUserPasswordSecretRef: keyRef,
      }),
    },
    { ...optional, requiredKeys: ['auth', 'databaseConfig'] },
  )
  .map(opened)
  .map(withLogin);

describe('a rendered configuration', () => {
  it('is parsed to the same spec from which it was rendered, and is the same text each time', () => {
    fc.assert(
      fc.property(specs, (written) => {
        const spec = serverSpecOf(written);
        const text = renderServerConfig(spec, identity);
        expect(configOf(text)).toEqual({ identity, spec });
        expect(renderServerConfig(configOf(text).spec, identity)).toBe(text);
      }),
      { numRuns: 60 },
    );
  });

  it('reads back with its views', () => {
    const { spec } = configOf(`
      auth: { mode: anonymous }
      sources: [{ name: a, api: { endpoint: https://a.example } }, { name: b, file: { path: /b.json } }]
      registries: [{ name: all, sources: [b, a] }, { name: one, sources: [a] }]`);
    expect(configOf(renderServerConfig(spec, identity)).spec).toEqual(spec);
  });

  it('refers to the same objects as the spec, with defaults', () => {
    const spec = serverSpecOf({
      displayName: 'Tools',
      registries: [
        {
          name: 'ours',
          git: {
            repository: 'https://git.example.com/ours.git',
            auth: { username: 'robot', passwordSecretRef: { name: 'git', key: 'token' } },
          },
          syncPolicy: { interval: '90m' },
        },
        { name: 'local', configMapRef: { name: 'data', key: 'servers.json' } },
        { name: 'shared', format: 'upstream', pvcRef: { claimName: 'claim', path: 'team/a.json' } },
      ],
      auth: {
        oauth: {
          providers: [
            {
              name: 'id',
              issuerUrl: 'https://id.example.com',
              audience: 'registry',
              clientSecretRef: { name: 'oauth' },
              caCertRef: { name: 'roots' },
            },
          ],
        },
      },
    });
    expect(renderServerConfig(spec, identity)).toBe(`registryName: tools
namespace: team
displayName: Tools
registries:
  - name: ours
    format: toolhive
    git:
      repository: https://git.example.com/ours.git
      path: registry.json
      auth:
        username: robot
        passwordSecretRef:
          name: git
          key: token
    syncPolicy:
      interval: 1h30m
  - name: local
    format: toolhive
    configMapRef:
      name: data
      key: servers.json
  - name: shared
    format: upstream
    pvcRef:
      claimName: claim
      path: team/a.json
auth:
  mode: oauth
  publicRead: []
  oauth:
    realm: mcp-registry
    scopesSupported:
      - mcp-registry:read
      - mcp-registry:write
    providers:
      - name: id
        issuerUrl: https://id.example.com
        audience: registry
        clientSecretRef:
          name: oauth
          key: clientSecret
        caCertRef:
          name: roots
          key: ca.crt
        allowPrivateIP: false
`);
  });
});

describe('a configuration written by hand', () => {
  it('may be a flat list of registries, each of which is a source', () => {
    const { identity: said, spec } = configOf(`
registryName: tools
registries:
  - name: default
    format: upstream
    kubernetes: {}
  - name: ours
    git:
      repository: https://git.example.com/ours.git
      branch: main
      auth: { username: robot, passwordFile: /run/secrets/git }
    syncPolicy: { interval: 30m }
  - name: local
    file: { path: /srv/registry.json }
auth:
  mode: anonymous
database: { host: pg, sslMode: require, maxMetaSize: 65536 }
telemetry: { enabled: true }
`);
    expect(said).toEqual({ name: 'tools' });
    const git = { repository: 'https://git.example.com/ours.git', branch: 'main', path: 'registry.json' };
    expect(spec).toMatchObject({
      auth: { mode: 'anonymous' },
      registries: [
        { name: 'default', type: 'kubernetes', format: 'upstream' },
        {
          name: 'ours',
          type: 'git',
          spec: { ...git, auth: { username: 'robot', passwordFile: '/run/secrets/git' } },
          format: 'toolhive',
          intervalMs: 1_800_000,
        },
        { name: 'local', type: 'file', spec: { path: '/srv/registry.json' } },
      ],
      databaseConfig: { host: 'pg', port: 5432, user: 'db_app', sslMode: 'require' },
    });
    expect(spec).not.toHaveProperty('views');
    expect(spec.databaseConfig).not.toHaveProperty('maxMetaSize');
  });

  it('may have sources, and registries that are views of them', () => {
    const { spec } = configOf(`
sources:
  - name: local
    file: { path: /srv/registry.json }
  - name: official
    api: { endpoint: https://registry.example.org }
registries:
  - name: everything
    sources: [official, local]
auth: { mode: anonymous }
`);
    expect(spec.registries).toMatchObject([
      { name: 'local', type: 'file', format: 'upstream' },
      { name: 'official', type: 'api', format: 'upstream' },
    ]);
    expect(spec.views).toEqual([{ name: 'everything', sources: ['official', 'local'] }]);
  });

  it('may open paths in addition to sources, which a spec may not', () => {
    const auth = {
      publicPaths: ['/registry/open'],
      oauth: { providers: [{ name: 'a', issuerUrl: 'https://a', audience: 'b' }] },
    };
    expect(configOf(JSON.stringify({ auth })).spec.auth).toMatchObject({
      mode: 'oauth',
      publicPaths: ['/registry/open'],
    });
    const spec = parseRegistrySpec({ auth });
    expect('faults' in spec && spec.faults.map(formatFault).join()).toContain('auth.publicPaths: is not a field here');
    const without = configOf(JSON.stringify({ auth: { oauth: auth.oauth } }));
    expect(without.spec.auth).not.toHaveProperty('publicPaths');
  });

  const open =
    'auth: { publicRead: [locale], oauth: { providers: [{ name: a, issuerUrl: https://a.example, audience: b }] } }\n';
  const sources = 'auth: { mode: anonymous }\nsources:\n- name: a\n  file: { path: /a.json }\n';

  // prettier-ignore
  it.each<[string, string]>([
    ['', 'line 1: must be an object with fields, but is empty'],
    ['- a', 'line 1: must be an object with fields'],
    ['text', 'line 1: "text" must be an object with fields'],
    ['a: 1\na: 2', 'line 2: is not YAML: a key appears twice in one object'],
    ['a: 1\n---\nb: 2', 'line 2: is not YAML: multiple docs'],
    ['auth: *nobody', 'line 1: has an alias (*name), which is not allowed: write the value out'],
    ['auth: &a { mode: anonymous }\nauthz: *a', 'line 2: has an alias (*name)'],
    ['auth:\n  mode: anonymous\nregistrys: []', 'line 3: registrys: is not a field here: did you mean registries?'],
    ['auth:\n  mode: anonymous\n  authz: {}', 'line 3: auth.authz: is not a field here'],
    ['auth:\n  mode: anonymous\n  publicPaths: [metrics]', 'line 3: auth.publicPaths[0]: "metrics" must be a path that begins with /'],
    ['auth:\n  mode: anonymous\n  publicPaths: [""]', 'line 3: auth.publicPaths[0]: '],
    ['auth:\n  publicPaths: [/x]', 'auth.oauth.providers: must name at least one identity provider'],
    ['auth: { mode: anonymous }\ndatabase:\n  port: "x"', 'line 3: database.port: "x" must be a number'],
    ['auth: { mode: anonymous }\nregistries:\n- name: a\n  file:\n    path: a.json', 'line 5: registries[0].file.path: "a.json" must be an absolute path'],
    ['auth: { mode: anonymous }\nregistries:\n- name: a\n  file: { path: /a.json }\n  configMapRef: { name: a, key: b }', 'line 3: registries[0]: must have one source but has configMapRef and file'],
    ['auth: { mode: anonymous }\nregistries:\n- name: a\n  managed: {}', 'line 4: registries[0].managed: needs database'],
    ['auth: { mode: anonymous }\nregistries:\n- name: a\n  git: { repository: "https://git.example.com/a", auth: { username: x, passwordFile: /a, passwordSecretRef: { name: b, key: c } } }', 'line 4: registries[0].git.auth.passwordFile: cannot be combined with passwordSecretRef'],
    [`${sources}registries:\n- name: all\n  sources:\n  - a\n  - b`, 'line 9: registries[0].sources[1]: "b" is not the name of one of the sources'],
    [`${sources}registries:\n- name: all\n  sources: [a]\n  claims: {}`, 'line 8: registries[0].claims: is not a field here'],
    [`${open}registries:\n- name: local\n  file: { path: /a.json }`, 'line 1: auth.publicRead[0]: "locale" is not served here: did you mean local?'],
    [`${open}sources:\n- name: a\n  file: { path: /a.json }\nregistries:\n- name: all\n  sources: [a]`, 'line 1: auth.publicRead[0]: "locale" is not served here: remove it, or use one of all, a'],
    [`${sources}registries: []`, 'line 5: registries: must have at least 1 item'],
    [sources, 'line 1: registries: is required'],
    ['auth: { mode: anonymous }\nregistries:\n- name: all\n  sources: [a]', 'line 4: registries[0].sources[0]: "a" is not the name of one of the sources'],
  ])('%# is refused: %j', (text, fault) => {
    expect(faultsOf(text).join('\n')).toContain(fault);
  });
});

describe('a hostile configuration', () => {
  const bomb = ['a0: &a0 [x, x]', ...Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`)];

  it.each([
    ['aliases that multiply', bomb.join('\n')],
    ['an alias of itself', 'auth: &a { mode: *a }'],
    ['brackets without end', '['.repeat(20_000)],
    ['objects without end', `a: ${'{a: '.repeat(10_000)}`],
    ['a prototype', 'auth: { mode: anonymous }\n__proto__: { registries: [] }'],
    [
      'a text that cannot be made',
      'auth: { mode: anonymous }\nregistries: [{ name: { toString: 1 }, configMapRef: { name: { toString: 1 } }, file: 3 }]',
    ],
    ['control characters', '\0\x01: \x02'],
    ['a key that is an object', '? { a: 1 }\n: 2'],
    ['binary', 'auth: !!binary aGVsbG8='],
  ])('with %s is refused', (_, text) => {
    expect(faultsOf(text)).not.toEqual([]);
  });

  it('is rejected for any value in any field', () => {
    const values = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('{}', '[]', 'null', '{ a: 1 }', '[[{}]]'),
    );
    const fields = fc.constantFrom(
      'auth',
      'auth: { oauth',
      'auth: { oauth: { providers',
      'database',
      'registries',
      'sources',
      'registries: [{ git',
      'registries: [{ name: a, git: { auth',
      'registries: [{ sources',
      'registries: [{ filter: { names',
      'registries: [{ configMapRef: { name: a, key: b }, file',
      'registries: [{ pvcRef',
      'displayName',
    );
    fc.assert(
      fc.property(fields, values, (field, value) => {
        const brackets = Array.from(field.matchAll(/[[{]/g), ([bracket]) => (bracket === '[' ? ']' : '}'));
        const parsed = parseServerConfig(`${field}: ${value} ${brackets.toReversed().join('')}`);
        expect('faults' in parsed && parsed.faults.every(({ line }) => line >= 1)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
