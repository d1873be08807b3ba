import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { z } from 'zod';
import { RegistryError } from '#domain/registry-error.js';
import { TooLarge } from '#http/http-failure.js';
import { atMost } from '#http/read-body.js';
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
 * Reads one key of a ConfigMap, or all keys as files with one server each. A value in `binaryData` may be gzipped,
 * because a ConfigMap is limited to 1 MiB. A missing `optional` ConfigMap is reported as ConfigMapNotFound like any
 * other, but with another message: an empty catalogue instead would remove what is being served.
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
    await unpack(bytes, path, { ...spec, key }, context);
  },
});

interface OneKey extends ConfigMapSpec {
  readonly key: string;
}

function edited(name: string): RegistryError {
  return new RegistryError('FetchFailed', `ConfigMap ${name} was edited while it was read.`, 'retry');
}

/** Returns the digest of all keys that contain a server. If `target` is given, writes them to it as one bundle. */
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

/** Replaces the error message if the missing object or key is optional. */
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

/** Writes a value to a file and unpacks it on the way, because a few bytes can unpack to more than fits into memory. */
async function unpack(
  bytes: Uint8Array,
  path: string,
  { name, key }: OneKey,
  { settings, signal }: SourceContext,
): Promise<void> {
  const limit = settings.maxFileBytes;
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const source = Readable.from([bytes]);
  const bounded = (stream: AsyncIterable<Buffer>) => atMost(limit, stream);
  const target = createWriteStream(path);
  try {
    if (isPacked) await pipeline(source, createGunzip(), bounded, target, { signal });
    else await pipeline(source, bounded, target, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TooLarge) {
      const message = `Key ${key} of ConfigMap ${name} is larger than the ${limit} bytes that are read.`;
      throw new RegistryError('InvalidData', message);
    }
    if (!isPacked || !String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
    const message = `Key ${key} of ConfigMap ${name} begins like gzip but cannot be unpacked: store it again.`;
    throw new RegistryError('InvalidData', message, 'wait', { cause: error });
  }
}

/**
 * Number of characters of a digest. This is enough to distinguish edits, and a tenant gains nothing from a collision
 * within its own data.
 */
const SHORT_HASH = 16;

function shortHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, SHORT_HASH);
}
