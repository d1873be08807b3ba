import type { OAuthProvider } from '#identity/provider-spec.js';
import { Discovery } from './discovery.js';
import type { LoginEndpoints } from './discovery.js';
import { KeySet } from '#identity/key-set.js';
import { ProviderHttp } from '#identity/provider-http.js';
import { MountedMaterial } from './provider-material.js';
import type { AuthReferences } from './provider-material.js';
import { tokenProviders } from '#identity/providers/index.js';
import type { TokenProvider, VerifyToken } from '#identity/token-provider.js';
import type { UnverifiedToken } from '#identity/unverified-token.js';
import { ProviderBusy, toVerdict } from '#identity/verdict.js';
import type { Verdict } from '#identity/verdict.js';

/** The dependencies of providers. */
export interface ProviderContext {
  readonly references: AuthReferences;
  readonly version: string;
  /** Returns the milliseconds of a monotonic clock. */
  now(): number;
  /** Called when a provider starts to fail, fails for another reason, or works again (undefined). */
  onFault(provider: string, fault: string | undefined): void;
  /** Handlers for the kinds of tokens. Default: those of `providers/index.ts`. */
  readonly tokenProviders?: readonly TokenProvider[];
}

/** One provider of a spec. It is not contacted before the first token for it arrives. */
export class IdentityProvider {
  readonly name: string;
  readonly #verifiers: readonly { readonly provider: TokenProvider; readonly verify: VerifyToken }[];
  readonly #http: ProviderHttp;
  #fault: string | undefined;
  #generation = 0;
  readonly #discovery: Discovery;

  constructor(
    private readonly spec: OAuthProvider,
    namespace: string,
    private readonly context: ProviderContext,
    onKeysChanged: () => void,
  ) {
    const { references, version, now } = context;
    this.name = spec.name;
    this.#http = new ProviderHttp(spec, new MountedMaterial(spec, namespace, references), version);
    const http = this.#http;
    const discovery = new Discovery(spec, http, now);
    this.#discovery = discovery;
    const keys = new KeySet({
      load: async () => {
        try {
          return await http.getJson(await discovery.jwksUrl());
        } catch (error) {
          discovery.forget();
          throw error;
        }
      },
      onChange: () => {
        this.#generation++;
        onKeysChanged();
      },
      onFault: (fault) => this.report(fault),
      now,
    });
    this.#verifiers = (context.tokenProviders ?? tokenProviders).map((provider) => ({
      provider,
      verify: lazily(() =>
        provider.createVerifier(spec, {
          http,
          keys,
          secretKey: (name, key) => references.secretKey(namespace, name, key),
        }),
      ),
    }));
  }

  /** Increases whenever the published keys change. A verdict of an earlier generation is outdated. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Verifies a token. Returns undefined, without contacting the provider, if the token is not meant for this provider.
   */
  async judge(token: string, unverified: UnverifiedToken): Promise<Verdict | undefined> {
    const fitting = this.#verifiers.find(({ provider }) => provider.concerns(unverified, this.spec));
    if (!fitting) return undefined;
    try {
      const claims = await fitting.verify(token, unverified);
      this.report(undefined);
      return { kind: 'accepted', claims };
    } catch (error) {
      const verdict = toVerdict(error);
      const isFault =
        verdict.kind === 'unavailable' || (verdict.kind === 'refused' && verdict.check === 'configuration');
      if (isFault && !(error instanceof ProviderBusy)) this.report(verdict.why);
      return verdict;
    }
  }

  /** Returns the login endpoints. Throws ProviderUnavailable or ProviderMisconfigured. */
  loginEndpoints(): Promise<LoginEndpoints> {
    return this.#discovery.loginEndpoints();
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  private report(fault: string | undefined): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.context.onFault(this.name, fault);
  }
}

/** Creates the verifier when the first token of its kind arrives. */
function lazily(create: () => Promise<VerifyToken>): VerifyToken {
  let created: Promise<VerifyToken> | undefined;
  return async (token, unverified) => (await (created ??= create()))(token, unverified);
}
