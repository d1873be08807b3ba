import { RegistryError } from '#domain/registry-error.js';
import type { References } from './context.js';

/** Refers to one key of a ConfigMap or a Secret in the namespace of the registry. */
export interface KeyReference {
  readonly name: string;
  readonly key: string;
  /** Whether it is acceptable that the key does not exist. */
  readonly optional?: boolean | undefined;
}

/**
 * Reads a key of a Secret as a string. Returns undefined if it is optional and does not exist. Throws a RegistryError
 * `SecretNotFound` or `KeyNotFound`.
 */
export async function readSecret(
  reference: KeyReference,
  references: Pick<References, 'secretKey'>,
): Promise<string | undefined> {
  const bytes = await optionally(reference, () => references.secretKey(reference.name, reference.key));
  return bytes && Buffer.from(bytes).toString();
}

/**
 * Reads a key of a ConfigMap. Returns undefined if it is optional and does not exist. Throws a RegistryError
 * `ConfigMapNotFound` or `KeyNotFound`.
 */
export function readConfigMapKey(
  reference: KeyReference,
  references: Pick<References, 'configMapKey'>,
): Promise<Uint8Array | undefined> {
  return optionally(reference, () => references.configMapKey(reference.name, reference.key));
}

async function optionally<Value>({ optional }: KeyReference, read: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await read();
  } catch (error) {
    const isMissing =
      error instanceof RegistryError && ['SecretNotFound', 'ConfigMapNotFound', 'KeyNotFound'].includes(error.reason);
    if (optional && isMissing) return undefined;
    throw error;
  }
}
