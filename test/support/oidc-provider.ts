import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTHeaderParameters, JWTPayload } from 'jose';

/** Commands to the process. Each reply has the id of its command. */
export type ProviderCommand = { readonly id: number } & (
  | { readonly kind: 'keys'; readonly jwks: { keys: JWK[] } }
  | { readonly kind: 'console'; readonly redirectUris: readonly string[]; readonly tokenSeconds: number }
  | { readonly kind: 'away'; readonly away: boolean }
  | { readonly kind: 'look' }
);
type Told<Command> = Command extends unknown ? Omit<Command, 'id'> : never;

export interface ProviderReply {
  readonly id: number;
  readonly issuer: string;
  readonly secret: string;
  /** Requests so far, by path. */
  readonly counts: Readonly<Record<string, number>>;
}

export const AUDIENCE = 'registry-server';
export const INTROSPECTION_PATH = '/token/introspection';

export interface ProviderKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

export async function createKey(alg: string, kid: string = alg): Promise<ProviderKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey };
}

/** A real OpenID provider (npm oidc-provider) in a separate process. The test has its keys, too. */
export class OidcProvider implements AsyncDisposable {
  private commands = 0;

  private constructor(
    private readonly child: ChildProcess,
    readonly issuer: string,
    readonly secret: string,
    public keys: readonly ProviderKey[],
  ) {}

  static async start(keys: readonly ProviderKey[]): Promise<OidcProvider> {
    const child = fork(fileURLToPath(new URL('oidc-provider.process.ts', import.meta.url)), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const [{ issuer, secret }] = (await once(child, 'message')) as [ProviderReply];
    const provider = new OidcProvider(child, issuer, secret, keys);
    await provider.rotate(keys);
    return provider;
  }

  /** Replaces the keys of the provider. Tokens signed with other keys become invalid. */
  async rotate(keys: readonly ProviderKey[]): Promise<void> {
    this.keys = keys;
    const jwks = await Promise.all(
      keys.map(async ({ alg, kid, privateKey }) => ({ ...(await exportJWK(privateKey)), alg, kid, use: 'sig' })),
    );
    await this.tell({ kind: 'keys', jwks: { keys: jwks } });
  }

  /** Registers the public client `console`, to which users sign in with any name and password. */
  async admitConsole(redirectUris: readonly string[], tokenSeconds = 600): Promise<void> {
    await this.tell({ kind: 'console', redirectUris, tokenSeconds });
  }

  /** Makes the provider close every connection, or stop doing so. */
  async goAway(away: boolean): Promise<void> {
    await this.tell({ kind: 'away', away });
  }

  /** Requests so far, by path. */
  async counts(): Promise<Readonly<Record<string, number>>> {
    return (await this.tell({ kind: 'look' })).counts;
  }

  /** Requests a token for client `editor:1`: `opaque`, or signed with this algorithm. */
  async issue(
    format: string,
    { audience, scope = 'mcp-registry:read' }: { audience?: string; scope?: string } = {},
  ): Promise<string> {
    const resource = `urn:registry:${[format, audience].filter(Boolean).join('/')}`;
    const credentials = ['editor:1', this.secret].map((text) => encodeURIComponent(text)).join(':');
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope }),
    });
    const body = (await response.json()) as { access_token?: string };
    if (!body.access_token) throw new Error(`no token: ${JSON.stringify(body)}`);
    return body.access_token;
  }

  /**
   * Signs a token as the provider would issue it, except for the given claims and parameters. Those that are undefined
   * are left out.
   */
  async sign(
    claims: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
    key: ProviderKey = this.keys[0] as ProviderKey,
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: this.issuer, aud: AUDIENCE, sub: 'editor', iat: now, exp: now + 600, ...claims };
    return new SignJWT(payload as JWTPayload)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header } as JWTHeaderParameters)
      .sign(key.privateKey);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill();
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }

  private async tell(command: Told<ProviderCommand>): Promise<ProviderReply> {
    const id = ++this.commands;
    const answered = new Promise<ProviderReply>((resolve) => {
      const listener = (reply: ProviderReply) => {
        if (reply.id !== id) return;
        this.child.off('message', listener);
        resolve(reply);
      };
      this.child.on('message', listener);
    });
    this.child.send({ id, ...command });
    return answered;
  }
}
