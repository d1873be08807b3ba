import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { z } from 'zod';
import { RegistryError } from '#domain/registry-error.js';
import { configMapKeyRef } from '#domain/spec-fields.js';
import { defineSource } from './source.js';
import type { SourceContext } from './context.js';

const configMapSpec = configMapKeyRef.describe('configMapRef reads a key of a ConfigMap in the same namespace.');

type ConfigMapSpec = z.output<typeof configMapSpec>;

/**
 * Reads one key of a ConfigMap. A value in `binaryData` may be gzipped, since a ConfigMap holds 1 MiB at most. An
 * `optional` ConfigMap that is absent has nothing to give yet: that is told as ConfigMapNotFound like any other, only
 * in other words, because an empty catalogue would take away what is being served.
 */
export const configMapSource = defineSource<ConfigMapSpec>({
  block: 'configMapRef',
  view: { type: 'FILE', sourceType: 'file', address: 'address' },
  shape: 'file',
  spec: configMapSpec,

  address: ({ name, key }) => `ConfigMap ${name}, key ${key}`,

  mount: ({ name, key }) => ({ configMap: { name, key }, file: 'registry.json' }),

  changedBy: 'manifests',

  async resolve(spec, context) {
    const revision = shortHash(await read(spec, context));
    return { revision, label: `${spec.name}/${spec.key}@${revision}` };
  },

  async download(spec, { revision }, path, context) {
    const bytes = await read(spec, context);
    if (shortHash(bytes) !== revision) {
      throw new RegistryError('FetchFailed', `ConfigMap ${spec.name} was edited while it was read.`, 'retry');
    }
    await writeFile(path, await unpacked(bytes, spec, context));
  },
});

async function read({ name, key, optional }: ConfigMapSpec, context: SourceContext): Promise<Uint8Array> {
  try {
    return await context.references.configMapKey(name, key);
  } catch (error) {
    if (optional && error instanceof RegistryError && /^(ConfigMap|Key)NotFound$/.test(error.reason)) {
      const message = `The optional ConfigMap ${name} has no key ${key} yet; the source is empty until it has.`;
      throw new RegistryError(error.reason, message, 'wait', { cause: error });
    }
    throw error;
  }
}

async function unpacked(
  bytes: Uint8Array,
  { name, key }: ConfigMapSpec,
  { settings }: SourceContext,
): Promise<Uint8Array> {
  const limit = settings.maxFileBytes;
  const tooLarge = () =>
    new RegistryError(
      'InvalidData',
      `Key ${key} of ConfigMap ${name} is larger than the ${limit} bytes that are read.`,
    );
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    if (bytes.length > limit) throw tooLarge();
    return bytes;
  }
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    const message = `Key ${key} of ConfigMap ${name} begins like gzip but cannot be unpacked: store it again.`;
    throw new RegistryError('InvalidData', message, 'wait', { cause: error });
  }
}

/** Enough to tell edits apart; a tenant gains nothing from a collision within its own data. */
function shortHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
