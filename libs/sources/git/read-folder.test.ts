import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SourceContext } from '../context.js';
import type { Git } from './git.js';
import { readFolderAt } from './read-folder.js';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'read-folder-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const FILES = 4;
const SIZE = 200_000;
const id = (index: number) => String(index).padStart(40, '0');
const lines = (line: (index: number) => string, end: string) =>
  Array.from({ length: FILES }, (_, index) => line(index) + end).join('');

/** Simulates git for a folder of several files. `sizeOf` is the size that it reports for each. */
function gitWith(sizeOf: number): Git {
  const answers: Record<string, string> = {
    'ls-tree': lines((index) => `100644 blob ${id(index)}\tdir/f${index}.json`, '\0'),
    'rev-list': '',
    '--batch-check': lines((index) => `${id(index)} blob ${sizeOf}`, '\n'),
  };
  return {
    remote: { name: 'a', url: 'a' },
    async local(args: string[], { stdoutFile }: { stdoutFile?: string } = {}) {
      const blobs = lines((index) => `${id(index)} blob ${SIZE}\n${'a'.repeat(SIZE)}`, '\n');
      if (stdoutFile) await writeFile(stdoutFile, blobs);
      return { exitCode: 0, stderr: '', stdout: answers[args[1] ?? ''] ?? answers[args[0] ?? ''] ?? '' };
    },
  } as unknown as Git;
}

async function openFiles(): Promise<string[]> {
  const names = await readdir('/proc/self/fd');
  const links = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return links.filter((link) => link.startsWith(folder));
}

const place = { commit: id(0), path: 'dir', label: 'l', wanted: { kind: 'branch', name: 'm' } } as never;
const contextOf = (maxFileBytes: number) =>
  ({
    settings: { maxFileBytes },
    signal: new AbortController().signal,
    progress: () => undefined,
  }) as never as SourceContext;

it.skipIf(process.platform !== 'linux')('closes the output of git when the bundle is abandoned', async () => {
  // Enough for the content of the files, but too little for their names.
  const reading = readFolderAt(
    gitWith(SIZE),
    place,
    join(folder, 'late'),
    contextOf(FILES * 4 * Math.ceil(SIZE / 3) + 10),
  );
  await expect(reading).rejects.toMatchObject({ reason: 'InvalidData' });
  expect(await openFiles()).toEqual([]);
});

it('rejects files that are too large once encoded, before it reads them', async () => {
  const reading = readFolderAt(gitWith(SIZE), place, join(folder, 'early'), contextOf(FILES * SIZE));
  await expect(reading).rejects.toThrow('have 800000 bytes, more in a bundle; at most 800000 are read');
  expect(await readdir(folder)).not.toContain('early.blobs');
});
