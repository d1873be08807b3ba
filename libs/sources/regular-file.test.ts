import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileSource } from './file.source.js';
import { readAll } from './testing/catalogue-file.js';
import { hashFile, readFully } from './regular-file.js';
import { pvcSource } from './pvc.source.js';
import { createSourceContext } from './testing/source-context.js';

let directory: string;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'regular-file-')));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

it('is not read if another folder has replaced its own before it was opened', async () => {
  await using context = await createSourceContext();
  await mkdir(join(directory, 'volume/data'), { recursive: true });
  await mkdir(join(directory, 'secrets'));
  await writeFile(join(directory, 'volume/data/registry.json'), '{}');
  await writeFile(join(directory, 'secrets/registry.json'), 'hunter2');
  const file = {
    name: 'registry.json',
    setting: 'pvcRef.path',
    async locate() {
      const path = await realpath(join(directory, 'volume/data/registry.json'));
      await rename(join(directory, 'volume/data'), join(directory, 'volume/moved'));
      await symlink(join(directory, 'secrets'), join(directory, 'volume/data'));
      return path;
    },
    suggest: async () => '',
  };
  await expect(hashFile(file, context)).rejects.toMatchObject({ reason: 'FetchFailed', destiny: 'retry' });
});

it('is read completely if each read returns fewer bytes than requested', async () => {
  const content = Buffer.from('registry');
  const read = async (buffer: Buffer, offset: number, length: number, position: number) => ({
    buffer,
    bytesRead: content.copy(buffer, offset, position, position + Math.min(3, length)),
  });
  const file = { read } as unknown as Parameters<typeof readFully>[0];
  for (const size of [8, 9, 100]) expect(await readFully(file, Buffer.alloc(size))).toEqual(content);
  expect(await readFully(file, Buffer.alloc(7))).toEqual(content.subarray(0, 7));
});

it.each([
  'hunter2',
  '{"password":hunter2}',
  '{"a":"hunter2"',
  '["hunter2"]',
  'password: hunter2',
  '{"version":"hunter2","servers":{}}',
])('is not quoted if it is not a catalogue: %s', async (content) => {
  for (const format of ['upstream', 'toolhive'] as const) {
    const failure = await readAll(content, format, { hidesContent: true }).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(failure).not.toContain('hunter2');
  }
});

it('hides its content if a path may lead to a file other than a catalogue', () => {
  expect([fileSource.hidesContent, pvcSource.hidesContent]).toEqual([true, true]);
});
