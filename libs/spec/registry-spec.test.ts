import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseRegistrySpec, registrySpecSchema } from './registry-spec.js';
import type { RegistrySpec } from './registry-spec.js';
import { WALK_BUDGET } from '#domain/bounded-walk.js';
import { CONFIG_LIMIT } from './raw-spec.js';
import { FAULTS_LIMIT, formatFault } from './spec-fault.js';
import {
  FAULTY_SPECS,
  SPECS_WITH_SECRETS,
  provider,
  oauth,
  git,
  secret,
  database,
  withSpec,
  withSource,
  withProvider,
  introspecting,
  publishing,
  withDatabase,
  withRaw,
} from './testing/faulty-specs.js';

function faultsOf(spec: unknown): string[] {
  const parsed = parseRegistrySpec(spec);
  return 'faults' in parsed ? parsed.faults.map(formatFault) : [];
}

function specOf(spec: unknown): RegistrySpec {
  const parsed = parseRegistrySpec(spec);
  if ('faults' in parsed) throw new Error(parsed.faults.map(formatFault).join('\n'));
  return parsed.spec;
}

describe('a good spec', () => {
  // prettier-ignore
  it.each<[string, unknown]>([
    ['a git branch with an interval', withSource({ name: 'tools', format: 'toolhive', git: { ...git, branch: 'main', path: 'data/registry.json' }, syncPolicy: { interval: '45m' } })],
    ['a git repository without ref, path and policy', withSource({ name: 'tools', git })],
    ['branch, tag and commit at once', withSource({ name: 'tools', git: { ...git, branch: 'main', tag: 'v2', commit: 'a'.repeat(40) } })],
    ['git with a password', withSource({ name: 'tools', git: { ...git, auth: { username: 'reader', passwordSecretRef: secret } } })],
    ['git over ssh', withSource({ name: 'tools', git: { repository: 'git@git.example.com:tools/catalogue.git', auth: { sshKeySecretRef: secret, knownHostsSecretRef: secret } } })],
    ['git with a CA of its own', withSource({ name: 'tools', git: { ...git, caCertRef: { name: 'ca', key: 'ca.crt' } } })],
    ['a ConfigMap', withSource({ name: 'local', format: 'upstream', configMapRef: { name: 'data', key: 'servers.json' }, syncPolicy: { interval: '10m' } })],
    ['a volume', withSource({ name: 'shared', format: 'upstream', pvcRef: { claimName: 'data', path: 'team/a.json' }, syncPolicy: { interval: '2h' } })],
    ['another registry', withSource({ name: 'official', format: 'upstream', api: { endpoint: 'https://registry.example.org', timeout: '20s' } })],
    ['a filter', withSource({ name: 'tools', git, filter: { names: { include: ['team/*'], exclude: ['*-[xy]?'] }, tags: { include: ['stable'], exclude: [] } } })],
    ['a database', withDatabase({ host: 'pg.data.svc', port: 5433, sslMode: 'verify-full', maxOpenConns: 30, maxIdleConns: 0, connMaxLifetime: '15m', caCertRef: { name: 'pg-ca' } })],
    ['entries published here, kept in a database', { ...withDatabase({}), registries: [{ name: 'own', managed: {} }] }],
    ['cluster tokens in the other spelling', { authConfig: { mode: 'oauth', oauth: { providers: [{ ...provider, jwksUrl: 'https://kubernetes.default.svc/openid/v1/jwks', caCertPath: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt', authTokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token', allowPrivateIP: true }] } }, registries: [{ name: 'a', git }] }],
    ['authentication without sources', { auth: oauth }],
    ['several providers, open for reading', { auth: { publicRead: ['local'], oauth: { resourceUrl: 'https://mcp.example.com', realm: 'tools', scopesSupported: ['read'], providers: [provider, { ...provider, name: 'okta', clientId: 'x', clientSecretRef: { name: 's' }, introspectionUrl: 'https://id.example.com/introspect' }] } } }],
    ['one of its sources open for reading', { auth: { ...oauth, publicRead: ['a'] }, registries: [{ name: 'a', git }] }],
    ['the built-in source open for reading', { auth: { ...oauth, publicRead: ['default'] }, registries: [{ name: 'a', git }] }],
    ['mode anonymous, where nothing has to be opened', { auth: { mode: 'anonymous', publicRead: ['x'] }, registries: [{ name: 'a', git }] }],
    ['mode anonymous with an idle oauth block', { auth: { mode: 'anonymous', oauth: { realm: 'x' } } }],
    ['a pod template of any shape', withSpec({ podTemplateSpec: { spec: { containers: [{ name: 'registry-api', resources: { limits: { cpu: '1' } } }], whatever: [1] } } })],
    ['a raw configuration with volumes', withRaw({ volumes: [{ name: 'data', emptyDir: {} }], volumeMounts: [{ name: 'data', mountPath: '/data' }], pgpassSecretRef: secret, imagePullSecrets: [{ name: 'pull' }] })],
    ['an unused enforceServers', withSpec({ enforceServers: true, displayName: 'Tools' })],
    ['an issuer on this machine without TLS', withProvider({ issuerUrl: 'http://127.0.0.1:9000' })],
  ])('may have %s', (_, spec) => {
    expect(faultsOf(spec)).toEqual([]);
  });

  it('means the same with auth and authConfig', () => {
    expect(specOf({ authConfig: oauth })).toEqual(specOf({ auth: oauth }));
  });

  it('requires oauth unless it says anonymous', () => {
    expect(specOf({ auth: { oauth: { providers: [provider] } } }).auth).toEqual({
      mode: 'oauth',
      publicRead: [],
      oauth: {
        realm: 'mcp-registry',
        scopesSupported: ['mcp-registry:read', 'mcp-registry:write'],
        providers: [{ ...provider, allowPrivateIP: false }],
      },
    });
    expect(specOf({ auth: { mode: 'anonymous', oauth: { providers: [provider] } } }).auth).toEqual({
      mode: 'anonymous',
    });
  });

  it('means the same in a configYAML', () => {
    const configYAML = `
displayName: Tools
registries: [{ name: main, git: { repository: ${git.repository} }, syncPolicy: { interval: 1h } }]
auth: { mode: anonymous }
database: { host: pg, user: reader }`;
    const fields = withSpec({ displayName: 'Tools', databaseConfig: { ...database, host: 'pg', user: 'reader' } });
    const { databaseConfig, ...said } = specOf({
      ...fields,
      registries: [{ name: 'main', git, syncPolicy: { interval: '1h' } }],
    });
    const {
      dbAppUserPasswordSecretRef: _,
      dbMigrationUserPasswordSecretRef: __,
      ...withoutPasswords
    } = databaseConfig!;
    expect(specOf({ configYAML })).toEqual({
      ...said,
      databaseConfig: withoutPasswords,
      raw: { configYAML, volumes: [], volumeMounts: [] },
    });
  });

  it.each([
    ['git', { git }, 'toolhive'],
    ['configMapRef', { configMapRef: { name: 'a', key: 'b' } }, 'toolhive'],
    ['pvcRef', { pvcRef: { claimName: 'a' } }, 'toolhive'],
    ['api', { api: { endpoint: 'https://a.example' } }, 'upstream'],
    ['managed', { managed: {} }, 'upstream'],
    ['api', { api: { endpoint: 'https://a.example' }, format: 'toolhive' }, 'toolhive'],
  ])('reads a source of type %s as %j in format %s', (type, block, format) => {
    const { registries } = specOf({ ...withDatabase({}), registries: [{ name: 'x', ...block }] });
    expect(registries).toMatchObject([{ name: 'x', type, format }]);
  });

  it('has the defaults filled in and intervals in milliseconds', () => {
    const filter = { names: { include: ['a*'] } };
    const spec = specOf({
      ...withDatabase({ maxIdleConns: 0 }),
      registries: [{ name: 'x', git, filter, syncPolicy: { interval: '1.5h' } }],
    });
    expect(spec.registries).toEqual([
      {
        name: 'x',
        type: 'git',
        spec: { ...git, path: 'registry.json' },
        format: 'toolhive',
        intervalMs: 5_400_000,
        filter,
      },
    ]);
    expect(spec.databaseConfig).toEqual({
      host: 'postgres',
      port: 5432,
      user: 'db_app',
      migrationUser: 'db_migrator',
      database: 'registry',
      sslMode: 'prefer',
      maxOpenConns: 10,
      maxIdleConns: 0,
      connMaxLifetime: '30m',
      ...database,
    });
  });
});

describe('a faulty spec', () => {
  it.each(FAULTY_SPECS)('%# is refused: %j', (spec, fault) => {
    const faults = faultsOf(spec);
    expect(faults.join('\n')).toContain(fault);
    expect(faults).toHaveLength(1);
  });

  it.each([
    [introspecting([{}])],
    [introspecting([{ tokenPrefix: 'a_' }, { tokenPrefix: 'b_' }])],
    [introspecting([{}, { introspectionUrl: undefined }])],
    [introspecting([{}, {}], { showOpaqueTokensToAll: true })],
  ])('%# sends each opaque token to only one provider, unless it says otherwise', (spec) => {
    expect(faultsOf(spec)).toEqual([]);
  });

  it.each([
    [publishing({}, { requiredScopes: { write: 'w' } })],
    [publishing({ writers: 'everyone', namePrefixes: ['io.a/', 'io.github.', 'io.a/team-'] })],
    [{ ...publishing({}), auth: { mode: 'anonymous' } }],
  ])('%# must specify who may publish', (spec) => {
    expect(faultsOf(spec)).toEqual([]);
  });

  it('is reported completely', () => {
    const faults = faultsOf({
      databaseConfig: { port: 'x', ...database },
      volumes: [],
      registries: [
        { name: 'a', git: { ...git, path: 5 } },
        { name: 'a', git, api: { endpoint: 'x' } },
        { name: 'b', managed: 1 },
      ],
      unknown: true,
    });
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(
      expect.arrayContaining([
        'spec.auth',
        'spec.databaseConfig.port',
        'spec.registries[0].git.path',
        'spec.registries[1]',
        'spec.registries[1].name',
        'spec.registries[1].api.endpoint',
        'spec.registries[2].managed',
        'spec.unknown',
        'spec.volumes',
      ]),
    );
    expect(faults).toHaveLength(9);
  });

  it.each(SPECS_WITH_SECRETS)('never shows %s', (_, spec) => {
    const faults = faultsOf(spec);
    expect(faults).not.toEqual([]);
    expect(faults.join()).not.toContain('hunter2');
  });

  it('suggests the source that was probably meant', () => {
    expect(faultsOf(withSource({ name: 'a', gti: git }))).toEqual([
      'spec.registries[0].gti: is not a field here: did you mean git?',
      expect.stringMatching(/^spec.registries\[0\]: must have a source: add one of .*git/),
    ]);
  });

  it('shortens a long value', () => {
    const [fault] = faultsOf(withSource({ name: 'a', git: { ...git, path: `${'x'.repeat(900)}.yaml` } }));
    expect(fault).toContain('"xxx');
    expect(fault!.length).toBeLessThan(250);
  });
});

describe('a huge spec', () => {
  const nested = (depth: number) => {
    let value: object = {};
    for (let level = 1; level < depth; level++) value = { value };
    return value;
  };

  it('is rejected if a pod template is deeper than any that Kubernetes uses', () => {
    const { depth } = WALK_BUDGET;
    expect(faultsOf(withSpec({ podTemplateSpec: nested(depth - 1) }))).toEqual([]);
    for (const levels of [depth, 10_000]) {
      expect(faultsOf(withSpec({ podTemplateSpec: nested(levels) }))).toEqual([
        expect.stringMatching(/^spec: is too large: at most .*64 levels/),
      ]);
    }
  });

  it('is rejected if it has more fields than that', () => {
    const list = Array.from({ length: WALK_BUDGET.nodes }, () => 1);
    expect(faultsOf(withSpec({ podTemplateSpec: { list } })).join()).toContain('is too large');
  });

  const CONFIG = 'auth: {mode: anonymous}\n';
  /** Returns a configYAML with as many lines as fit. */
  const filled = (head: string, line: (at: number) => string) => {
    const lines = [CONFIG, head];
    for (let at = 0, left = CONFIG_LIMIT - CONFIG.length - head.length; ; at++) {
      left -= line(at).length;
      if (left < 0) return lines.join('');
      lines.push(line(at));
    }
  };

  it.each([
    ['unknown fields', filled('', (at) => `${at}:\n`)],
    ['unknown fields of many objects', filled('registries:\n', () => `- {${'abcdefgh'.split('').join(': 1, ')}: 1}\n`)],
    ['sources that are empty', filled('registries:\n', () => '- {}\n')],
    ['sources that are no objects', filled('registries:\n', () => '- 1\n')],
    ['an unknown field with a long name', filled('? ', () => 'auth')],
    ['duplicate fields', filled('', () => 'a: 1\n')],
  ])('is rejected with a short message if its configYAML is full of %s', (_what, configYAML) => {
    const faults = faultsOf(withRaw({ configYAML }));
    expect(faults.join().length).toBeLessThan(FAULTS_LIMIT + 100);
    expect(faults.join()).toContain('spec.configYAML: line ');
  });

  it('has its configYAML parsed once, however often it is read', () => {
    const read = () => parseRegistrySpec(withRaw({}));
    const [one, other] = [read(), read()];
    expect('spec' in one && 'spec' in other && one.spec.auth === other.spec.auth).toBe(true);
  });
});

describe('the schema', () => {
  it('can be written as an OpenAPI schema whose required fields are those that a user must write', () => {
    const schema = z.toJSONSchema(registrySpecSchema, { target: 'openapi-3.0', io: 'input', reused: 'inline' });
    const provided = { default: 'oauth', enum: ['oauth', 'anonymous'] };
    expect(schema).not.toHaveProperty('required');
    expect(schema).toMatchObject({
      properties: {
        registries: {
          minItems: 1,
          maxItems: 20,
          items: {
            required: ['name'],
            properties: {
              git: { required: ['repository'], properties: { path: { default: 'registry.json', maxLength: 1024 } } },
            },
          },
        },
        auth: { properties: { mode: provided } },
        authConfig: { properties: { mode: provided } },
        databaseConfig: { required: ['dbAppUserPasswordSecretRef', 'dbMigrationUserPasswordSecretRef'] },
      },
    });
  });
});
