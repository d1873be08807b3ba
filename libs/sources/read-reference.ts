import { RegistryError } from '#domain/registry-error.js';
import type { References } from './context.js';

/** One key of a ConfigMap or a Secret in the namespace of the registry. */
export interface KeyReference {
  readonly name: string;
  readonly key: string;
  /** Its absence is no fault. */
  readonly optional?: boolean | undefined;
}

/** Reads a key of a Secret as text; undefined when it is optional and absent. Throws a RegistryError `SecretNotFound` or `KeyNotFound`. */
export async function readSecret(
  reference: KeyReference,
  references: Pick<References, 'secretKey'>,
): Promise<string | undefined> {
  const bytes = await optionally(reference, () => references.secretKey(reference.name, reference.key));
  return bytes && Buffer.from(bytes).toString();
}

/** Reads a key of a ConfigMap; undefined when it is optional and absent. Throws a RegistryError `ConfigMapNotFound` or `KeyNotFound`. */
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
