import type { z } from 'zod';
import type { Notice } from '#domain/notice.js';
import type { ObjectField } from '#domain/object-field.js';
import type { Claims } from './claims.js';
import type { KeySet } from './key-set.js';
import type { ProviderHttp } from './provider-http.js';
import type { ProviderSpec } from './provider-fields.js';
import type { UnverifiedToken } from './unverified-token.js';

/** The HTTP client and the keys of one provider in the spec, which its verifiers share. */
export interface ProviderTools {
  readonly http: ProviderHttp;
  readonly keys: KeySet;
  /** Reads a key of a Secret in the namespace of the registry. Throws a RegistryError. */
  secretKey(name: string, key: string): Promise<Uint8Array>;
}

/**
 * Returns the claims that the provider vouches for. Throws TokenRefused, ProviderUnavailable or ProviderMisconfigured.
 */
export type VerifyToken = (token: string, unverified: UnverifiedToken) => Promise<Claims>;

type Shape = Readonly<Record<string, z.ZodType>>;

/**
 * A kind of token, with everything that is specific to it. Every process loads this declaration, but the verifier with
 * its dependencies is loaded only for a token of this kind. To add a kind, add a file in `providers` and a line in its
 * `index.ts`.
 */
export interface TokenProvider<Spec = unknown> {
  /** The fields of `auth.oauth.providers[]` that belong to this kind. */
  readonly fields?: Shape;
  /** The fields that refer to Secrets and certificates. The objects are mounted, and changes to them are watched. */
  readonly objects?: readonly ObjectField[];
  /** Names of the fields that contain URLs that the verifier requests. */
  readonly endpoints?: readonly string[];
  /** Returns notices about a valid provider. Each message continues a sentence about the provider. */
  notices?(spec: Spec): readonly Notice[];
  /** Returns whether the provider of `spec` verifies the token. If not, the token is never sent to it. */
  concerns(token: UnverifiedToken, spec: Spec): boolean;
  createVerifier(spec: Spec, tools: ProviderTools): Promise<VerifyToken>;
}

/**
 * Defines a token provider. The type of the spec follows from the schemas of its fields, so it is written only once.
 */
export function defineTokenProvider<const Fields extends Shape>(
  provider: TokenProvider<ProviderSpec & z.output<z.ZodObject<Fields>>> & { readonly fields: Fields },
): TokenProvider {
  return provider as TokenProvider;
}
