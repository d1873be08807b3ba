import type { z } from 'zod';
import type { Notice } from '#domain/notice.js';
import type { ObjectField } from '#domain/object-field.js';
import type { Claims } from './claims.js';
import type { KeySet } from './key-set.js';
import type { ProviderHttp } from './provider-http.js';
import type { ProviderSpec } from './provider-fields.js';
import type { UnverifiedToken } from './unverified-token.js';

/** The connections of one provider of a spec, which its verifiers share. */
export interface ProviderTools {
  readonly http: ProviderHttp;
  readonly keys: KeySet;
  /** Reads a key of a Secret in the namespace of the registry; throws a RegistryError. */
  secretKey(name: string, key: string): Promise<Uint8Array>;
}

/** Resolves to what the provider vouches for; throws TokenRefused, ProviderUnavailable or ProviderMisconfigured. */
export type VerifyToken = (token: string, unverified: UnverifiedToken) => Promise<Claims>;

type Shape = Readonly<Record<string, z.ZodType>>;

/**
 * A kind of token, and everything that the product knows of it. The declaration is loaded by every process, and the verifier with
 * its dependencies only for a token of this kind. Adding one is a file in `providers` and a line in its `index.ts`.
 */
export interface TokenProvider<Spec = unknown> {
  /** The fields of `auth.oauth.providers[]` that belong to this kind. */
  readonly fields?: Shape;
  /** Those of the fields that refer to Secrets and certificates: these are mounted, and their names are watched. */
  readonly objects?: readonly ObjectField[];
  /** Names of the fields with URLs that the verifier requests. */
  readonly endpoints?: readonly string[];
  /** Remarks on a valid provider; each message begins in the middle of a sentence about it. */
  notices?(spec: Spec): readonly Notice[];
  /** Returns true if the provider of `spec` judges the token; otherwise the provider never sees it. */
  concerns(token: UnverifiedToken, spec: Spec): boolean;
  createVerifier(spec: Spec, tools: ProviderTools): Promise<VerifyToken>;
}

/** Ties fields and functions together, so that the type of the spec is written once, by the schemas of its fields. */
export function defineTokenProvider<const Fields extends Shape>(
  provider: TokenProvider<ProviderSpec & z.output<z.ZodObject<Fields>>> & { readonly fields: Fields },
): TokenProvider {
  return provider as TokenProvider;
}
