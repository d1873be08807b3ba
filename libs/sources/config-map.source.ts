import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { z } from 'zod';
import { RegistryError } from '#domain/registry-error.js';
import { configMapKeyRef } from '#domain/spec-fields.js';
import { bundle, BUNDLE_LIMITS, inOrder } from './files/bundle.js';
import type { BundledFile } from './files/bundle.js';
import { selectFiles } from './files/select-files.js';
import { defineSource } from './source.js';
import type { SourceContext } from './context.js';

const configMapSpec = configMapKeyRef
  .extend({
    key: configMapKeyRef.shape.key
      .optional()
      .describe(
        'key is the key in data or binaryData of the ConfigMap. Without it, each key that ends in .json, .yaml or .yml holds one server.',
      ),
  })
  .describe('configMapRef reads a key, or all keys, of a ConfigMap in the same namespace.');

type ConfigMapSpec = z.output<typeof configMapSpec>;

/**
 * Reads one key of a ConfigMap, or all of them as files with one server each. A value in `binaryData` may be gzipped, since a ConfigMap holds 1 MiB at most. An
 * `optional` ConfigMap that is absent has nothing to give yet: that is told as ConfigMapNotFound like any other, only
 * in other words, because an empty catalogue would take away what is being served.
 */
export const configMapSource = defineSource<ConfigMapSpec>({
  block: 'configMapRef',
  view: { type: 'FILE', sourceType: 'file', address: 'address' },
  shape: 'file',
  spec: configMapSpec,

  address: ({ name, key }) => `ConfigMap ${name}, ${key === undefined ? 'all keys' : `key ${key}`}`,

  mount: ({ name, key }) =>
    key === undefined ? { configMap: { name }, file: '.' } : { configMap: { name, key }, file: 'registry.json' },

  changedBy: 'manifests',

  async resolve(spec, context) {
    const { name, key } = spec;
    if (key === undefined) {
      const revision = (await bundleKeys(spec, context)).slice(0, SHORT_HASH);
      return { revision, label: `${name}@${revision}` };
    }
    const revision = shortHash(await read({ ...spec, key }, context));
    return { revision, label: `${name}/${key}@${revision}` };
  },

  async download(spec, { revision }, path, context) {
    const { name, key } = spec;
    if (key === undefined) {
      const hash = await bundleKeys(spec, context, path);
      if (hash.slice(0, SHORT_HASH) !== revision) throw edited(name);
      return;
    }
    const bytes = await read({ ...spec, key }, context);
    if (shortHash(bytes) !== revision) throw edited(name);
    await writeFile(path, await unpacked(bytes, { ...spec, key }, context));
  },
});

interface OneKey extends ConfigMapSpec {
  readonly key: string;
}

function edited(name: string): RegistryError {
  return new RegistryError('FetchFailed', `ConfigMap ${name} was edited while it was read.`, 'retry');
}

/** Returns the digest of all keys that hold a server, and writes them to `target` as one bundle if that is given. */
async function bundleKeys(
  { name, optional }: ConfigMapSpec,
  { references, settings }: SourceContext,
  target?: string,
): Promise<string> {
  const label = `ConfigMap ${name}`;
  const values = await absentInWords({ name, optional }, () => references.configMapKeys(name));
  const { isSelected } = selectFiles('.');
  const keys = inOrder([...values.keys()].filter(isSelected), label);
  if (keys.length === 0)
    throw new RegistryError('KeyNotFound', `${label} has no key that ends in .json, .yaml or .yml.`);
  const files = async function* (): AsyncGenerator<BundledFile> {
    for (const path of keys) yield toFile(path, Buffer.from(values.get(path) as Uint8Array));
  };
  return bundle(files(), { label, maxBytes: settings.maxFileBytes, ...(target !== undefined && { target }) });
}

function toFile(path: string, content: Buffer): BundledFile {
  const { fileBytes, headBytes } = BUNDLE_LIMITS;
  return content.length > fileBytes ? { path, head: content.subarray(0, headBytes) } : { path, content };
}

function read({ name, key, optional }: OneKey, { references }: SourceContext): Promise<Uint8Array> {
  return absentInWords({ name, key, optional }, () => references.configMapKey(name, key));
}

/** Says in other words that something optional is absent. */
async function absentInWords<Value>(
  { name, key, optional }: ConfigMapSpec,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (optional && error instanceof RegistryError && /^(ConfigMap|Key)NotFound$/.test(error.reason)) {
      const what =
        key === undefined
          ? 'does not exist yet; the source is empty until it does'
          : `has no key ${key} yet; the source is empty until it has`;
      throw new RegistryError(error.reason, `The optional ConfigMap ${name} ${what}.`, 'wait', { cause: error });
    }
    throw error;
  }
}

async function unpacked(bytes: Uint8Array, { name, key }: OneKey, { settings }: SourceContext): Promise<Uint8Array> {
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

/** Characters of a digest. Enough to tell edits apart; a tenant gains nothing from a collision within its own data. */
const SHORT_HASH = 16;

function shortHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, SHORT_HASH);
}
