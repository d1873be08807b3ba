import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { HttpTransport } from '#kubernetes/http-transport.js';
import { pathOf } from '#kubernetes/kinds.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject, ObjectRef } from '#kubernetes/kubernetes-object.js';
import { adminAccess, startApiServer } from '#support/api-server.js';
import { installCrd, readCrd } from '#api-server/install-crd.js';
import { createNamespace } from '#support/namespace.js';
import { eventually } from '#support/eventually.js';
import { fixturePath } from '#support/optional-fixture.js';
import { sharedApiServer } from '#support/shared-api-server.js';

const SEED_MANIFESTS = fixturePath('seed-manifests');

interface Registry extends KubernetesObject {
  readonly spec: Readonly<Record<string, unknown>>;
}

let api: HttpKubernetesApi;
let transport: HttpTransport;
let namespace: string;

beforeAll(async () => {
  const access = adminAccess(await sharedApiServer());
  api = new HttpKubernetesApi(access);
  transport = new HttpTransport(access);
});

beforeEach(async () => {
  namespace = await createNamespace(api);
});

afterAll(() => Promise.all([api.close(), transport.close()]));

const anonymous = { auth: { mode: 'anonymous' } };
const git = { repository: 'https://example.com/r.git' };

function registry(spec: Record<string, unknown>, name = 'r'): Registry {
  return { apiVersion: 'toolhive.stacklok.dev/v1alpha1', kind: 'MCPRegistry', metadata: { name, namespace }, spec };
}

/** Returns a registry that is valid apart from its only source, which is this one. */
function withSource(source: object): Registry {
  return registry({ ...anonymous, registries: [{ name: 's', ...source }] });
}

describe.skipIf(!SEED_MANIFESTS)('the manifests of the documentation', () => {
  const files = SEED_MANIFESTS ? readdirSync(SEED_MANIFESTS).filter((file) => file.endsWith('.yaml')) : [];

  it.each(files)('%s is accepted as it is, with no field unknown', async (file) => {
    const documents = parseAllDocuments(readFileSync(join(SEED_MANIFESTS ?? '', file), 'utf8'));
    const registries = documents
      .map((document) => document.toJS() as Registry)
      .filter(({ kind }) => kind === 'MCPRegistry');
    expect(registries.length).toBeGreaterThan(0);
    for (const manifest of registries) {
      const stored = await api.create({ ...manifest, metadata: { ...manifest.metadata, namespace } });
      expect(stored.spec).toMatchObject(manifest.spec);
    }
  });
});

describe('admission', () => {
  const refRef = { name: 'passwords', key: 'k' };
  const database = { dbAppUserPasswordSecretRef: refRef, dbMigrationUserPasswordSecretRef: refRef };
  const provider = { name: 'p', issuerUrl: 'https://issuer.example.com', audience: 'a' };
  const withProviders = (...fields: object[]) => {
    const introspectionUrl = 'https://issuer.example.com/introspect';
    const providers = fields.map((each, at) => ({ ...provider, name: `p${at}`, introspectionUrl, ...each }));
    return registry({ auth: { mode: 'oauth', oauth: { providers } } });
  };
  const withManaged = (managed: object, oauth: object = {}) => ({
    ...registry({
      auth: { oauth: { providers: [provider], ...oauth } },
      databaseConfig: database,
      registries: [{ name: 'm', managed }],
    }),
  });
  const many = Array.from({ length: 21 }, (_, index) => ({ name: `s${index}`, git }));
  const mistakes: [string, () => KubernetesObject, RegExp][] = [
    ['a name of 51 characters', () => registry(anonymous, 'n'.repeat(51)), /at most 50 characters/],
    ['a name with a dot', () => registry(anonymous, 'a.b'), /beginning with a letter/],
    ['a name that begins with a digit', () => registry(anonymous, '1a'), /beginning with a letter/],
    [
      'an empty ServiceAccount',
      () => registry({ ...anonymous, serviceAccountName: '' }),
      /must be the name of an object|should match/,
    ],
    ['a public URL with a query', () => registry({ ...anonymous, publicUrl: 'https://x/?a' }), /must not have a query/],
    [
      'a webhook of an unknown type',
      () => registry({ ...anonymous, webhooks: [{ name: 'h', type: 'svn', secretRef: { name: 's' } }] }),
      /Unsupported value: \\?"svn/,
    ],
    [
      'two webhooks of one name',
      () =>
        registry({
          ...anonymous,
          webhooks: ['github', 'gitlab'].map((type) => ({ name: 'h', type, secretRef: { name: 's' } })),
        }),
      /Duplicate value/,
    ],
    [
      'a webhook beside configYAML',
      () => registry({ configYAML: 'x', webhooks: [{ name: 'h', type: 'github', secretRef: { name: 's' } }] }),
      /webhooks cannot be combined with configYAML/,
    ],
    [
      'eleven webhooks',
      () =>
        registry({
          ...anonymous,
          webhooks: Array.from({ length: 11 }, (_, at) => ({ name: `h${at}`, type: 'hmac', secretRef: { name: 's' } })),
        }),
      /at most 10 items/,
    ],
    [
      'a console login without such a provider',
      () =>
        registry({
          auth: { oauth: { providers: [provider] } },
          console: { login: { provider: 'other', clientId: 'c' } },
        }),
      /console.login.provider must name one of/,
    ],
    [
      'a console login for an anonymous registry',
      () => registry({ ...anonymous, console: { login: { provider: 'p', clientId: 'c' } } }),
      /console.login.provider must name one of/,
    ],
    [
      'a parameter of the console itself',
      () =>
        registry({
          auth: { oauth: { providers: [provider] } },
          console: { login: { provider: 'p', clientId: 'c', parameters: { state: 'x' } } },
        }),
      /sets a parameter that the console sets itself/,
    ],
    [
      'console beside configYAML',
      () => registry({ configYAML: 'a: 1', console: {} }),
      /console cannot be combined with/,
    ],
    ['auth in both spellings', () => registry({ ...anonymous, authConfig: { mode: 'anonymous' } }), /only one of auth/],
    ['no auth', () => registry({ registries: [{ name: 's', git }] }), /auth is required: .*anonymous/],
    ['auth without a mode and a provider', () => registry({ auth: {} }), /at least one identity provider/],
    ['mode oauth without providers', () => registry({ auth: { mode: 'oauth', oauth: {} } }), /at least one identity/],
    ['no sources at all', () => registry({ ...anonymous, registries: [] }), /spec.registries.*at least 1 items/],
    ['21 sources', () => registry({ ...anonymous, registries: many }), /spec.registries.*at most 20 items/],
    [
      'a source name twice',
      () =>
        registry({
          ...anonymous,
          registries: [
            { name: 's', git },
            { name: 's', git },
          ],
        }),
      /registries\[1\]: Duplicate value: {"name":"s"}/,
    ],
    ['introspection by two providers without prefixes', () => withProviders({}, {}), /give each a tokenPrefix/],
    [
      'the same prefix twice',
      () => withProviders({ tokenPrefix: 'a' }, { tokenPrefix: 'a' }),
      /give each a tokenPrefix/,
    ],
    [
      'a prefix of a prefix',
      () => withProviders({ tokenPrefix: 'ab' }, { tokenPrefix: 'a' }),
      /give each a tokenPrefix/,
    ],
    ['a source name that climbs', () => withSource({ name: '../x', git }), /registries\[0\].name/],
    ['a source without a block', () => withSource({}), /exactly one source: one of git, /],
    ['a source with two blocks', () => withSource({ git, pvcRef: { claimName: 'c' } }), /exactly one source/],
    ['managed without a database', () => withSource({ managed: {} }), /managed needs databaseConfig/],
    ['a default namespace with a slash', () => withSource({ defaultNamespace: 'com.example/' }), /defaultNamespace/],
    ['managed without writers', () => withManaged({}), /managed needs auth.oauth.requiredScopes.write/],
    ['a name prefix without an end', () => withManaged({ namePrefixes: ['io.a'] }), /namePrefixes/],
    ['an absolute path', () => withSource({ git: { ...git, path: '/a.json' } }), /git.path.*must be relative/],
    ['a path that climbs', () => withSource({ pvcRef: { claimName: 'c', path: 'a/../b.json' } }), /must be relative/],
    ['a path that is no JSON file', () => withSource({ git: { ...git, path: 'a.yaml' } }), /git.path/],
    ['an interval of zero', () => withSource({ git, syncPolicy: { interval: '0s' } }), /must be longer than zero/],
    ['an interval without a unit', () => withSource({ git, syncPolicy: { interval: '30' } }), /syncPolicy.interval/],
    ['a time-out of an hour', () => withSource({ api: { endpoint: 'https://x', timeout: '1h' } }), /at most 5m/],
    ['a password in a URL', () => withSource({ api: { endpoint: 'https://u:p@x' } }), /must not contain a user name/],
    [
      'a git password without its user',
      () => withSource({ git: { ...git, auth: { passwordSecretRef: refRef } } }),
      /username and passwordSecretRef must be set together/,
    ],
    [
      'an ssh key without known hosts',
      () => withSource({ git: { ...git, auth: { sshKeySecretRef: refRef } } }),
      /trusts any host/,
    ],
    ['an empty git auth', () => withSource({ git: { ...git, auth: {} } }), /needs username and passwordSecretRef/],
    [
      'a password reference without a name',
      () =>
        registry({
          ...anonymous,
          databaseConfig: { ...database, dbAppUserPasswordSecretRef: { name: '', key: 'k' } },
        }),
      /dbAppUserPasswordSecretRef.name/,
    ],
    [
      'an issuer without TLS',
      () => registry({ auth: { oauth: { providers: [{ ...provider, issuerUrl: 'http://issuer.example.com' }] } } }),
      /must start with https/,
    ],
    [
      'a provider name twice',
      () => registry({ auth: { oauth: { providers: [provider, provider] } } }),
      /providers\[1\]: Duplicate value/,
    ],
    [
      'configYAML beside sources',
      () => registry({ configYAML: 'a: 1', registries: [{ name: 's', git }] }),
      /registries cannot be combined with configYAML/,
    ],
    [
      'configYAML beside a database',
      () => registry({ configYAML: 'a: 1', databaseConfig: database }),
      /databaseConfig cannot be combined with configYAML/,
    ],
    ['configYAML beside auth', () => registry({ configYAML: 'a: 1', ...anonymous }), /auth cannot be combined with/],
    ['volumes without configYAML', () => registry({ ...anonymous, volumes: [] }), /volumes is only for configYAML/],
    ['mounts without configYAML', () => registry({ ...anonymous, volumeMounts: [] }), /volumeMounts is only for/],
    [
      'a pgpass Secret without configYAML',
      () => registry({ ...anonymous, pgpassSecretRef: refRef }),
      /pgpassSecretRef is only for configYAML/,
    ],
    ['a field that does not exist', () => registry({ ...anonymous, registris: [] }), /unknown field "spec.registris"/],
  ];

  it.each(mistakes)('refuses %s, and says why', async (_, manifest, message) => {
    await expect(api.create(manifest())).rejects.toMatchObject({ message: expect.stringMatching(message) });
  });

  const valid: [string, Record<string, unknown>][] = [
    ['no source', anonymous],
    [
      'a managed source with a database',
      { ...anonymous, databaseConfig: database, registries: [{ name: 'm', managed: {} }] },
    ],
    ['a managed source whose writers need a scope', withManaged({}, { requiredScopes: { write: 'w' } }).spec],
    ['a managed source for everyone', withManaged({ writers: 'everyone', namePrefixes: ['io.a/'] }).spec],
    [
      'an issuer on localhost',
      { auth: { oauth: { providers: [{ ...provider, issuerUrl: 'http://localhost:8080' }] } } },
    ],
    [
      'Greek and Latin micro seconds',
      { ...anonymous, registries: [{ name: 's', git, syncPolicy: { interval: '5µs5μs1.5h' } }] },
    ],
    ['configYAML and its volumes', { configYAML: 'a: 1', volumes: [{ name: 'v', emptyDir: {} }] }],
  ];

  it.each(valid)('accepts %s', async (_, spec) => {
    expect((await api.create(registry(spec))).spec).toMatchObject(spec);
  });

  it('fills in what a source leaves open', async () => {
    const { spec } = await api.create(
      registry({ auth: { oauth: { providers: [provider] } }, registries: [{ name: 's', git }] }),
    );
    expect(spec).toMatchObject({ auth: { mode: 'oauth' }, registries: [{ git: { path: 'registry.json' } }] });
  });
});

describe('versions', () => {
  it('are two views of one object: nothing is lost through either', async () => {
    const podTemplateSpec = { spec: { containers: [{ name: 'registry-api', novelty: { deep: true } }] } };
    const typed = { ...anonymous, podTemplateSpec, registries: [{ name: 's', git: { ...git, path: 'a.json' } }] };
    const raw = {
      configYAML: 'a: 1',
      volumes: [{ name: 'v', secret: { secretName: 'x' } }],
      pgpassSecretRef: { name: 'a', key: 'b' },
    };
    for (const [name, spec] of Object.entries({ typed, raw })) {
      const stored = await api.create(registry(spec, name));
      const path = pathOf('MCPRegistry', namespace, name).replace('v1alpha1', 'v1beta1');
      const beta = (await transport.call({ method: 'GET', path, attempt: 'read' })) as Registry;
      expect(beta.spec).toEqual(stored.spec);
      expect(beta.spec).toMatchObject(spec);
    }
  });
});

describe('objects that were stored before a rule existed', () => {
  it('can be edited elsewhere, lose their finalizer and go', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcp-registry-crd-'));
    const server = await startApiServer(folder);
    const own = new HttpKubernetesApi(adminAccess(server));
    try {
      const crd = await readCrd();
      await installCrd(own, withoutRules(crd) as KubernetesObject);
      const finalizer = 'mcpregistry.toolhive.stacklok.dev/finalizer';
      const held = (name: string, spec: Record<string, unknown>): Registry => ({
        ...registry(spec),
        metadata: { name, namespace: 'default', finalizers: [finalizer] },
      });
      const broken = [
        held('wrong-spec', { registries: [{ name: 's', git: { ...git, path: '/../x.json' } }, { name: 't' }] }),
        held(`${'long-'.repeat(11)}name.with.dots`, anonymous),
      ];
      const stored = await Promise.all(broken.map((object) => own.create(object)));
      await installCrd(own, crd);
      // The API server applies changed rules only a moment after it has stored them.
      const refusal = await eventually(() =>
        own.dryRunApply(held('another.name', anonymous)).then(
          () => undefined,
          (error: Error) => error.message,
        ),
      );
      expect(refusal).toContain('at most 50 characters');

      for (const { metadata } of stored) {
        const ref: ObjectRef = { namespace: 'default', name: metadata.name, uid: metadata.uid! };
        await own.delete('MCPRegistry', ref);
        expect(await own.get('MCPRegistry', 'default', ref.name)).toBeDefined();
        await own.applyStatus({
          ...registry({}),
          metadata: ref,
          status: { phase: 'Terminating', message: '', observedGeneration: 1, conditions: [] },
        });
        await own.patchFinalizers('MCPRegistry', ref, { remove: finalizer });
        expect(await own.get('MCPRegistry', 'default', ref.name)).toBeUndefined();
      }
    } finally {
      await own.close();
      await server.stop();
      await rm(folder, { recursive: true });
    }
  });
});

/** Returns the schema as an early version of the CRD might have been, without validation rules. */
function withoutRules(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRules);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== 'x-kubernetes-validations');
  return Object.fromEntries(kept.map(([key, nested]) => [key, withoutRules(nested)]));
}
