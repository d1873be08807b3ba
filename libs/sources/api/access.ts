import { X509Certificate } from 'node:crypto';
import { RegistryError } from '#domain/registry-error.js';
import { readConfigMapKey, readSecret } from '../read-reference.js';
import type { KeyReference } from '../read-reference.js';
import type { References } from '../context.js';
import type { ApiSpec, ClientCredentials } from './api-spec.js';

/** The credentials for a registry, as currently stored in the objects that the spec refers to. */
export interface Access {
  /** A bearer token and its origin. */
  readonly token?: { readonly value: string; readonly from: string };
  readonly client?: { readonly spec: ClientCredentials; readonly secret: string };
  /** Certificate authorities in PEM format. */
  readonly ca?: string;
}

/**
 * Reads the objects that the spec refers to. If an optional Secret does not exist, the registry is requested without
 * credentials. Throws a RegistryError `SecretNotFound`, `ConfigMapNotFound`, `KeyNotFound` or `AuthFailed`.
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

/** Returns how messages refer to a value of a Secret. */
export const shown = ({ name, key }: KeyReference): string => `Secret ${name}, key ${key}`;

/** Reads a value of one line. Surrounding white space, which editors add, is removed. */
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

/**
 * Checks that a token can follow `Bearer` in a header. RFC 6750 allows fewer characters, but some registries have other
 * kinds of keys.
 */
function checkToken(token: string, reference: KeyReference): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const message = `${shown(reference)} is not a valid bearer token: it contains spaces or characters other than printable ASCII.`;
  throw new RegistryError('AuthFailed', message);
}

/** Checks the certificates, because an invalid certificate would otherwise look like a failure to connect. */
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
