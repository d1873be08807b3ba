import type { Browser } from 'playwright-core';
import { inject } from 'vitest';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { startBrowser } from './browser.js';
import { demoCatalogue, hostileCatalogue, toCatalogue } from './console-catalogue.js';
import { AUDIENCE, createKey, OidcProvider } from './oidc-provider.js';
import { RegistryWorld } from './registry-world.js';
import { eventually } from './eventually.js';
import { configMap, configMapSource, manifestOf } from './standalone-process.js';
import { entries, UpstreamRegistry } from './upstream-registry.js';

/**
 * Returns the sources of every registry here: our own file, an upstream registry that takes long, and a file that does
 * not exist.
 */
const sourcesOf = (upstream: string, interval: string) => [
  {
    ...configMapSource('ours', 'demo'),
    format: 'upstream',
    filter: { names: { exclude: ['*/experimental-*'] } },
    syncPolicy: { interval: '30m' },
  },
  { name: 'mirror', api: { endpoint: `${upstream}/` }, syncPolicy: { interval } },
  { ...configMapSource('shared', 'missing'), format: 'upstream' },
];

const document = (name: string, spec: object) => ({
  apiVersion: 'toolhive.stacklok.dev/v1alpha1',
  kind: 'MCPRegistry',
  metadata: { name, namespace: 'default' },
  spec,
});

/** Content of the source `shared` until its ConfigMap is deleted: a server that another source has as well. */
const SHARED = manifestOf(
  configMap(
    'missing',
    toCatalogue([{ name: 'com.example/calendar', version: '1.0.0', description: 'An older copy of the calendar' }]),
  ),
);
/** Number of registries with this source. */
const WITH_SHARED = 4;

/** How users sign in at the provider. The audience of a token depends on the requested resource (RFC 8707). */
const LOGIN = { provider: 'idp', clientId: 'console', parameters: { resource: 'urn:registry:ES256' } };

/**
 * Registries with everything that the console shows, on real servers, and a browser. `team` is public and served at
 * `/`. `guarded` requires a token and offers a sign-in, `closed` requires a token, `visited` makes one source public,
 * and `hostile` contains the data of an attacker.
 */
export class ConsoleWorld implements AsyncDisposable {
  private constructor(
    readonly browser: Browser,
    readonly registries: RegistryWorld,
    readonly api: RegistryApi,
    readonly upstream: UpstreamRegistry,
    readonly provider: OidcProvider,
  ) {}

  static async start(executable: string, { interval = '1h' } = {}): Promise<ConsoleWorld> {
    const upstream = new UpstreamRegistry();
    upstream.entries = entries(120).map((entry) => ({
      ...entry,
      name: entry.name.replace('a/', 'org.partner/archive-'),
    }));
    const [browser, provider, endpoint] = await Promise.all([
      startBrowser(executable),
      OidcProvider.start([await createKey('ES256')]),
      upstream.listen(),
    ]);
    const manifest = manifestsOf(endpoint, provider.issuer, interval);
    const registries = await RegistryWorld.start({
      temporalAddress: inject('temporalAddress'),
      manifests: `${manifest}\n---\n${SHARED}`,
    });
    // Let the source fail only after its first sync, because lists are unavailable until each source has been synced
    // once.
    const runsOfShared = () => registries.runs.filter(({ outcome }) => outcome.source === 'shared');
    await eventually(() => runsOfShared().length === WITH_SHARED || undefined);
    await registries.edit(manifest);
    await eventually(() => runsOfShared().filter(({ outcome }) => outcome.failure).length === WITH_SHARED || undefined);
    const api = await registries.serve();
    await provider.admitConsole(['guarded', 'visited'].map((name) => `${api.url}/default/${name}/`));
    return new ConsoleWorld(browser, registries, api, upstream, provider);
  }

  /** Returns the URL of the console of a registry. The one of `team` is also served at the root. */
  address(registry?: string): string {
    return registry === undefined ? `${this.api.url}/` : `${this.api.url}/default/${registry}/`;
  }

  /** Waits until each source of a registry has been synced once and the API serves all of them. */
  async synced(registry = 'team'): Promise<void> {
    const ref = this.registries.registryCalled(registry);
    const sources = registry === 'hostile' ? ['ours'] : ['ours', 'mirror', 'shared'];
    await eventually(async () => {
      const finished = this.registries.runs.filter((run) => run.registry.name === ref.name);
      return sources.every((source) => finished.some(({ outcome }) => outcome.source === source)) || undefined;
    });
    // On a busy machine, the first run of a source may fail, and the catalogue follows the database with a delay.
    await eventually(async () => (await fetch(`${this.address(registry)}v0.1/servers`)).status !== 503 || undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.registries.stop();
    this.upstream.close();
    await this.provider[Symbol.asyncDispose]();
  }
}

function manifestsOf(upstream: string, issuerUrl: string, interval: string): string {
  const registries = sourcesOf(upstream, interval);
  const providers = [{ name: 'idp', issuerUrl, audience: AUDIENCE, allowPrivateIP: true }];
  const requiredScopes = { read: 'mcp-registry:read', write: 'mcp-registry:write' };
  const auth = { mode: 'oauth', oauth: { providers, requiredScopes } };
  return manifestOf(
    document('team', { displayName: 'Team registry', auth: { mode: 'anonymous' }, registries }),
    document('guarded', { displayName: 'Guarded registry', auth, console: { login: LOGIN }, registries }),
    document('closed', { displayName: 'Closed registry', auth, registries }),
    document('visited', {
      displayName: 'Visited registry',
      auth: { ...auth, publicRead: ['ours'] },
      console: { login: LOGIN },
      registries,
    }),
    document('hostile', {
      displayName: 'Hostile <b>registry</b> \u202E',
      auth: { mode: 'anonymous' },
      registries: [{ ...configMapSource('ours', 'hostile'), format: 'upstream' }],
    }),
    configMap('demo', demoCatalogue()),
    configMap('hostile', hostileCatalogue()),
  );
}
