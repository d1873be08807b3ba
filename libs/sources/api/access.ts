import { X509Certificate } from 'node:crypto';
import { RegistryError } from '#domain/registry-error.js';
import { readConfigMapKey, readSecret } from '../read-reference.js';
import type { KeyReference } from '../read-reference.js';
import type { References } from '../context.js';
import type { ApiSpec, ClientCredentials } from './api-spec.js';

/** What proves who we are to a registry, as the objects that the spec refers to have it now. */
export interface Access {
  /** A bearer token, and where it comes from. */
  readonly token?: { readonly value: string; readonly from: string };
  readonly client?: { readonly spec: ClientCredentials; readonly secret: string };
  /** Certificate authorities, PEM. */
  readonly ca?: string;
}

/**
 * Reads what the spec refers to. Without an optional Secret that is absent, the registry is asked without a login. Throws a RegistryError
 * `SecretNotFound`, `ConfigMapNotFound`, `KeyNotFound` or `AuthFailed`.
 */
export async function readAccess({ auth, caCertRef }: ApiSpec, references: References): Promise<Access> {
  const { tokenSecretRef, clientCredentials } = auth ?? {};
  const ca = caCertRef && (await readConfigMapKey(caCertRef, references));
  const token = tokenSecretRef && (await readOneLine(tokenSecretRef, references));
  const secret = clientCredentials && (await readOneLine(clientCredentials.clientSecretRef, references));
  return {
    ...(ca && { ca: toAuthorities(ca, caCertRef as KeyReference) }),
    ...(token !== undefined && {
      token: { value: checkToken(token, tokenSecretRef as KeyReference), from: shown(tokenSecretRef as KeyReference) },
    }),
    ...(clientCredentials && secret !== undefined && { client: { spec: clientCredentials, secret } }),
  };
}

/** How messages name a value of a Secret. */
export const shown = ({ name, key }: KeyReference): string => `Secret ${name}, key ${key}`;

/** White space around a value is an editor's, not a part of it. */
async function readOneLine(reference: KeyReference, references: References): Promise<string | undefined> {
  const text = (await readSecret(reference, references))?.trim();
  if (text === undefined) return undefined;
  if (text === '') throw new RegistryError('AuthFailed', `${shown(reference)} is empty: store the credential there.`);
  if (!/[\p{Cc}\ufffd]/u.test(text)) return text;
  throw new RegistryError(
    'AuthFailed',
    `${shown(reference)} is not one line of text: store the credential as one line.`,
  );
}

/** What may follow `Bearer` in a header: RFC 6750 allows less, but some registries have keys of their own kind. */
function checkToken(token: string, reference: KeyReference): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const message = `${shown(reference)} is no bearer token: it has blanks or letters that no header can carry.`;
  throw new RegistryError('AuthFailed', message);
}

/** A bad certificate would otherwise show as a connection that cannot be made. */
function toAuthorities(bytes: Uint8Array, { name, key }: KeyReference): string {
  const pem = Buffer.from(bytes).toString();
  if (isCertificate(pem)) return pem;
  const message = `ConfigMap ${name}, key ${key} holds no certificate: store certificate authorities as PEM.`;
  throw new RegistryError('ValidationFailed', message, 'wait');
}

function isCertificate(pem: string): boolean {
  try {
    return Boolean(new X509Certificate(pem));
  } catch {
    return false;
  }
}
