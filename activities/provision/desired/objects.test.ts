import { describe, expect, it } from 'vitest';
import { parseServerConfig } from '#spec/server-config.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { blueprint, database, settings } from '../testing/blueprint.js';
import { toRole, toRoleBinding, toServiceAccount } from './access.js';
import type { Blueprint } from './blueprint.js';
import { toConfigMap } from './config.js';
import { toDeployment } from './deployment.js';
import { volumeName } from './naming.js';
import { toPgpassSecret, toTemporalSecret } from './secrets.js';
import { toService } from './service.js';

const configMapSource = { name: 'local', configMapRef: { name: 'catalogue', key: 'servers.json' } };

function everything(of: Blueprint): KubernetesObject[] {
  return [
    toConfigMap(of),
    toServiceAccount(of),
    toRole(of),
    toRoleBinding(of),
    toPgpassSecret(of, of.spec.databaseConfig!, { application: 'a', migration: 'm' }),
    toTemporalSecret(of),
    toDeployment(of).deployment,
    toService(of),
  ];
}

function textsOf(secret: KubernetesObject): Record<string, string> {
  const { data } = secret as unknown as { data: Record<string, string> };
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

describe('the objects of a registry', () => {
  const objects = everything(blueprint({ registries: [configMapSource], databaseConfig: database }));

  it('have the documented names', () => {
    expect(objects.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`)).toEqual([
      'v1 ConfigMap tools-registry-server-config',
      'v1 ServiceAccount tools-registry-api',
      'rbac.authorization.k8s.io/v1 Role tools-registry-api',
      'rbac.authorization.k8s.io/v1 RoleBinding tools-registry-api',
      'v1 Secret tools-db-pgpass',
      'v1 Secret tools-temporal',
      'apps/v1 Deployment tools-api',
      'v1 Service tools-api',
    ]);
  });

  it.each(objects.map((object) => [object.kind, object] as const))(
    '%s has the labels of the registry and belongs to it',
    (_, object) => {
      const { namespace, name, labels, ownerReferences } = object.metadata;
      expect(namespace).toBe('team');
      expect(labels).toEqual({
        'app.kubernetes.io/name': name,
        'app.kubernetes.io/component': 'registry-api',
        'app.kubernetes.io/instance': 'tools',
        'app.kubernetes.io/managed-by': 'toolhive-operator',
        'toolhive.stacklok.dev/registry-name': 'tools',
        'toolhive.stacklok.io/registry-name': 'tools',
      });
      expect(ownerReferences).toEqual([
        {
          apiVersion: 'toolhive.stacklok.dev/v1alpha1',
          kind: 'MCPRegistry',
          name: 'tools',
          uid: '0b1c',
          controller: true,
          blockOwnerDeletion: true,
        },
      ]);
    },
  );

  it('are the same each time', () => {
    expect(everything(blueprint({ registries: [configMapSource], databaseConfig: database }))).toEqual(objects);
  });

  it('have valid labels and volume names, even for the longest name of a registry', () => {
    const registry = { namespace: 'team', name: `r${'x'.repeat(49)}`, uid: 'u' };
    const long = everything(blueprint({ databaseConfig: database }, { registry }));
    for (const value of long.flatMap(({ metadata }) => Object.values(metadata.labels ?? {}))) {
      expect(value).toMatch(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
      expect(value.length).toBeLessThanOrEqual(63);
    }
  });
});

describe('the files of a source', () => {
  it('are only the referenced keys of the Secrets and certificates', () => {
    const clientCredentials = {
      tokenUrl: 'https://login.example/token',
      clientId: 'mirror',
      clientSecretRef: { name: 'client', key: 'secret' },
    };
    const api = (auth: object) => ({
      endpoint: 'https://registry.example',
      auth,
      caCertRef: { name: 'ca', key: 'pem' },
    });
    const { deployment } = toDeployment(
      blueprint({
        registries: [
          { name: 'a', api: api({ tokenSecretRef: { name: 'reader', key: 'token' } }) },
          { name: 'b', api: api({ clientCredentials }) },
        ],
      }),
    );
    const { volumes, containers } = (deployment as unknown as { spec: { template: { spec: PodSpec } } }).spec.template
      .spec;
    const mounted = containers[0]!.volumeMounts.map(({ mountPath, name }) => [
      mountPath,
      volumes.find((volume) => volume.name === name),
    ]);
    expect(Object.fromEntries(mounted)).toMatchObject({
      '/secrets/reader': { secret: { secretName: 'reader', items: [{ key: 'token', path: 'token' }], optional: true } },
      '/secrets/client': {
        secret: { secretName: 'client', items: [{ key: 'secret', path: 'secret' }], optional: true },
      },
      '/config/certs/ca': { configMap: { name: 'ca', items: [{ key: 'pem', path: 'pem' }], optional: true } },
    });
  });
});

interface PodSpec {
  readonly volumes: readonly { readonly name: string }[];
  readonly containers: readonly {
    readonly volumeMounts: readonly { readonly mountPath: string; readonly name: string }[];
  }[];
}

describe('the name of a volume', () => {
  it('contains the name of the object if possible, and is unique otherwise', () => {
    expect(volumeName('git-auth', 'token')).toBe('git-auth-token');
    const odd = ['Team_A', 'team_a', 'team.a', 'x'.repeat(63)].map((name) => volumeName('registry-data-source', name));
    expect(new Set(odd).size).toBe(4);
    for (const name of odd) expect(name).toMatch(/^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
  });
});

describe('the configuration', () => {
  const textOf = (of: Blueprint) =>
    (toConfigMap(of) as unknown as { data: Record<string, string> }).data['config.yaml']!;
  const checksumOf = (of: Blueprint) =>
    toConfigMap(of).metadata.annotations?.['toolhive.stacklok.dev/content-checksum'];

  it('matches the spec, and its checksum changes with it', () => {
    const of = blueprint({ registries: [configMapSource] });
    expect(parseServerConfig(textOf(of))).toMatchObject({
      identity: { namespace: 'team', name: 'tools' },
      spec: { auth: { mode: 'anonymous' }, registries: of.spec.registries },
    });
    expect(checksumOf(of)).toMatch(/^[0-9a-f]{8}$/);
    expect(checksumOf(blueprint({ displayName: 'x' }))).not.toBe(checksumOf(of));
  });

  it('is exactly that of the user, if there is one', () => {
    const configYAML = '# mine\nauth: {mode: anonymous}\nregistries: []\n'.replace('registries: []\n', '');
    expect(textOf(blueprint({ configYAML }))).toBe(configYAML);
  });
});

describe('access', () => {
  it('is limited to the configuration and the ConfigMaps of the sources, by name', () => {
    const { rules } = toRole(blueprint({ registries: [configMapSource, { ...configMapSource, name: 'again' }] }));
    expect(rules).toEqual([
      {
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: ['tools-registry-server-config', 'catalogue'],
        verbs: ['get'],
      },
    ]);
  });

  it('includes the MCP servers of the namespace if a source lists them', () => {
    const reads = (spec: object) => toRole(blueprint(spec)).rules.flatMap(({ resources }) => resources);
    const configYAML = 'auth: {mode: anonymous}\nregistries: [{name: found, kubernetes: {}}]\n';
    expect(reads({ configYAML })).toEqual(['configmaps', 'mcpservers', 'mcpremoteproxies', 'virtualmcpservers']);
  });

  it('is bound only to the account of the registry', () => {
    expect(toRoleBinding(blueprint())).toMatchObject({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'tools-registry-api' },
      subjects: [{ kind: 'ServiceAccount', name: 'tools-registry-api', namespace: 'team' }],
    });
  });

  it('to images uses the pull secrets of registry and site, without duplicates', () => {
    const of = blueprint(
      { imagePullSecrets: [{ name: 'mine' }, { name: 'both' }] },
      { settings: { ...settings, imagePullSecrets: ['both', 'site'] } },
    );
    expect(toServiceAccount(of)).toMatchObject({
      imagePullSecrets: [{ name: 'mine' }, { name: 'both' }, { name: 'site' }],
    });
  });
});

describe('the Secrets', () => {
  it('contain both passwords in the format of libpq, with escaped colons and backslashes', () => {
    const of = blueprint({ databaseConfig: { ...database, host: '::1', user: 'a:b', database: 'c\\d' } });
    const secret = toPgpassSecret(of, of.spec.databaseConfig!, { application: 'p:\\', migration: 'm' });
    expect(textsOf(secret)).toEqual({
      '.pgpass': '\\:\\:1:5432:c\\\\d:a\\:b:p\\:\\\\\n\\:\\:1:5432:c\\\\d:db_migrator:m\n',
    });
  });

  it('contain only those settings of Temporal that are known', () => {
    const temporal = { address: 't:7233', namespace: 'mcp', apiKey: 'k', ca: 'CA' };
    expect(textsOf(toTemporalSecret(blueprint({}, { settings: { ...settings, temporal } })))).toEqual({
      address: 't:7233',
      namespace: 'mcp',
      apiKey: 'k',
      'ca.crt': 'CA',
    });
  });
});

describe('the Service', () => {
  it('exposes the API in the cluster, but not the port of the probes', () => {
    expect(toService(blueprint())).toMatchObject({
      spec: {
        type: 'ClusterIP',
        selector: { 'app.kubernetes.io/name': 'tools-api', 'app.kubernetes.io/component': 'registry-api' },
        ports: [{ name: 'http', port: 8080, targetPort: 8080, protocol: 'TCP' }],
      },
    });
  });
});
