import { isIP } from 'node:net';
import { isAllowed } from '#http/address-policy.js';
import type { AddressPolicy } from '#http/address-policy.js';
import { ForbiddenAddress } from '#http/forbidden-address.js';
import { connectGuarded } from '#http/guarded-connection.js';
import { startGuardedProxy } from '#http/guarded-proxy.js';
import type { GuardedProxy } from '#http/guarded-proxy.js';
import type { SourceContext } from '../context.js';
import type { GitSetup, Setting } from './environment.js';
import type { Remote } from './remote.js';
import { sshCommand } from './ssh-command.js';

/**
 * How git connects to its remote. git does not resolve names or connect to addresses that were not checked here: for
 * http, it uses a proxy of this process, and for ssh and git://, it is given an address.
 */
export interface Route extends AsyncDisposable {
  /**
   * Returns the settings of the next command, in addition to the setup. Throws a ForbiddenAddress or the error of the
   * system.
   */
  open(): Promise<RouteSettings>;
  /** The reason why git could not connect, if this process knows more about it than git. */
  readonly failure: unknown;
  /** Whether a connection to a private address was attempted. */
  readonly isPrivate: boolean;
}

export interface RouteSettings {
  readonly config: readonly Setting[];
  readonly variables: Readonly<Record<string, string>>;
}

const CONNECT_TIMEOUT_MS = 10_000;

const STRAIGHT: RouteSettings = { config: [], variables: {} };

export function createRoute(remote: Remote, setup: GitSetup, context: SourceContext): Route {
  const policy = context.settings.addressPolicy ?? 'private-allowed';
  switch (remote.scheme) {
    case 'https':
    case 'http': {
      const proxy = siteProxy(remote, context.settings.environment ?? {});
      return proxy ? new SiteProxyRoute(remote, policy, proxy) : new GuardedRoute(policy, context.signal);
    }
    case 'ssh':
    case 'git':
      return new PinnedRoute(remote, setup, policy, context.signal);
    case 'file':
      return {
        open: async () => STRAIGHT,
        failure: undefined,
        isPrivate: false,
        [Symbol.asyncDispose]: async () => {},
      };
  }
}

/**
 * http through a proxy of this process, which checks the address of every connection, including those after redirects.
 */
class GuardedRoute implements Route {
  readonly #policy: AddressPolicy;
  readonly #signal: AbortSignal;
  #proxy: GuardedProxy | undefined;

  constructor(policy: AddressPolicy, signal: AbortSignal) {
    this.#policy = policy;
    this.#signal = signal;
  }

  async open(): Promise<RouteSettings> {
    const options = { policy: this.#policy, signal: this.#signal, connectTimeoutMs: CONNECT_TIMEOUT_MS };
    this.#proxy ??= await startGuardedProxy(options);
    this.#proxy.startRun();
    return { config: [['http.proxy', this.#proxy.url]], variables: {} };
  }

  get failure(): unknown {
    return this.#proxy?.failure;
  }

  get isPrivate(): boolean {
    return this.#proxy?.triedPrivate ?? false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy?.[Symbol.asyncDispose]();
  }
}

/**
 * http through the proxy that the site requires (HTTPS_PROXY), which resolves names and decides which connections are
 * allowed. IP addresses are checked here as well. A redirect cannot bypass the proxy, because no exceptions are passed
 * to git.
 */
class SiteProxyRoute implements Route {
  readonly #host: string;
  readonly #policy: AddressPolicy;
  readonly #proxy: string;
  readonly failure = undefined;
  readonly isPrivate = false;

  constructor({ host }: Remote, policy: AddressPolicy, proxy: string) {
    this.#host = host;
    this.#policy = policy;
    this.#proxy = proxy;
  }

  async open(): Promise<RouteSettings> {
    if (isIP(this.#host) && !isAllowed(this.#host, this.#policy)) throw new ForbiddenAddress(this.#host, this.#host);
    return { config: [['http.proxy', this.#proxy]], variables: {} };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/**
 * ssh and git:// with a fixed address of the host. The address is determined by a connection that is closed again
 * immediately.
 */
class PinnedRoute implements Route {
  readonly #remote: Remote;
  readonly #setup: GitSetup;
  readonly #policy: AddressPolicy;
  readonly #signal: AbortSignal;
  readonly failure = undefined;
  isPrivate = false;
  #address: string | undefined;

  constructor(remote: Remote, setup: GitSetup, policy: AddressPolicy, signal: AbortSignal) {
    this.#remote = remote;
    this.#setup = setup;
    this.#policy = policy;
    this.#signal = signal;
  }

  async open(): Promise<RouteSettings> {
    const { host, port, scheme, url } = this.#remote;
    const address = (this.#address ??= await this.#findAddress());
    if (scheme === 'ssh' && this.#setup.ssh) {
      const command = sshCommand(this.#setup.ssh, this.#remote, address);
      return { config: [], variables: { GIT_SSH_COMMAND: command, GIT_SSH_VARIANT: 'ssh' } };
    }
    const pinned = new URL(url);
    pinned.hostname = isIP(address) === 6 ? `[${address}]` : address;
    const variables = { GIT_OVERRIDE_VIRTUAL_HOST: `${host}:${port}` };
    return { config: [[`url.${pinned.href}.insteadOf`, url]], variables };
  }

  async #findAddress(): Promise<string> {
    const { host, port } = this.#remote;
    const socket = await connectGuarded(host, port, {
      policy: this.#policy,
      signal: this.#signal,
      timeoutMs: CONNECT_TIMEOUT_MS,
      onAttempt: (reach) => (this.isPrivate ||= reach === 'private'),
    });
    const address = socket.remoteAddress ?? '';
    socket.destroy();
    return address;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/**
 * Returns the proxy that the environment defines for the remote, in the same way as curl, or undefined if there is
 * none.
 */
function siteProxy(
  { scheme, host }: Remote,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const names = scheme === 'https' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy'];
  const name = [...names, 'all_proxy', 'ALL_PROXY'].find((each) => environment[each]);
  const exceptions = (environment['no_proxy'] ?? environment['NO_PROXY'] ?? '').split(/[\s,]+/).filter(Boolean);
  const isException = exceptions.some((exception) => {
    const bare = exception.replace(/^\*?\./, '').toLowerCase();
    return exception === '*' || host.toLowerCase() === bare || host.toLowerCase().endsWith(`.${bare}`);
  });
  return isException || name === undefined ? undefined : environment[name];
}
