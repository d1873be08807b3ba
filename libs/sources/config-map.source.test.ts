import { readFile, stat } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { configMapSource } from './config-map.source.js';
import { createSourceContext } from './testing/source-context.js';
import type { TestContext } from './testing/source-context.js';

let context: TestContext;

beforeEach(async () => {
  context = await createSourceContext({ maxFileBytes: 1_000 });
});

afterEach(() => context[Symbol.asyncDispose]());

const spec = configMapSource.spec.parse({ name: 'catalogue', key: 'registry.json' });

async function fetched(): Promise<string> {
  await configMapSource.download(spec, await configMapSource.resolve(spec, context), context.target, context);
  return readFile(context.target, 'utf8');
}

it('writes the key as it is', async () => {
  context.configMaps.set('catalogue/registry.json', '{"é":1}');
  expect(await fetched()).toBe('{"é":1}');
});

it('has a new revision exactly when the content changes', async () => {
  context.configMaps.set('catalogue/registry.json', 'a');
  const first = await configMapSource.resolve(spec, context);
  expect(await configMapSource.resolve(spec, context)).toEqual(first);
  context.configMaps.set('catalogue/registry.json', 'b');
  expect((await configMapSource.resolve(spec, context)).revision).not.toBe(first.revision);
  await expect(configMapSource.download(spec, first, context.target, context)).rejects.toMatchObject({
    reason: 'FetchFailed',
    destiny: 'retry',
  });
});

it('unpacks gzip, within the limit', async () => {
  context.configMaps.set('catalogue/registry.json', gzipSync('{"packed":true}'));
  expect(await fetched()).toBe('{"packed":true}');
  context.configMaps.set('catalogue/registry.json', gzipSync('x'.repeat(100_000)));
  await expect(fetched()).rejects.toMatchObject({ reason: 'InvalidData', message: expect.stringContaining('1000') });
  context.configMaps.set('catalogue/registry.json', Buffer.from([0x1f, 0x8b, 1]));
  await expect(fetched()).rejects.toMatchObject({ reason: 'InvalidData' });
});

it('unpacks into the file, not into memory', async () => {
  await using large = await createSourceContext({ maxFileBytes: 256 * 2 ** 20 });
  large.configMaps.set('catalogue/registry.json', gzipSync(Buffer.alloc(200 * 2 ** 20)));
  const revision = await configMapSource.resolve(spec, large);
  const before = process.memoryUsage.rss();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
  await configMapSource.download(spec, revision, large.target, large);
  clearInterval(watch);
  expect((await stat(large.target)).size).toBe(200 * 2 ** 20);
  expect((most - before) / 2 ** 20).toBeLessThan(100);
});

it('rejects content that is too large', async () => {
  context.configMaps.set('catalogue/registry.json', 'x'.repeat(1_001));
  await expect(fetched()).rejects.toMatchObject({ reason: 'InvalidData', message: expect.stringContaining('1000') });
});

it('reports what is missing, and that an optional object may still be created', async () => {
  await expect(fetched()).rejects.toMatchObject({ reason: 'ConfigMapNotFound' });
  context.configMaps.set('catalogue/other.json', '');
  await expect(fetched()).rejects.toMatchObject({ reason: 'KeyNotFound' });

  const optional = { ...spec, optional: true };
  await expect(configMapSource.resolve(optional, context)).rejects.toMatchObject({
    reason: 'KeyNotFound',
    destiny: 'wait',
    message: expect.stringContaining('optional'),
  });
});

it('depends on its ConfigMap', () => {
  expect(configMapSource.mount?.(spec)).toMatchObject({ configMap: { name: 'catalogue' } });
  expect(configMapSource.address(spec)).toContain('catalogue');
});
