import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockDirectory } from './directory-lock.js';
import { spawnTypescript } from './fixtures/spawn-typescript.js';

let folder: string;
let directory: string;
let others: ChildProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
  directory = join(folder, 'data');
  others = [];
});

afterEach(async () => {
  await Promise.all(others.map(kill));
  await rm(folder, { recursive: true });
});

/** Tries to lock the directory in another process, and returns its answer. */
async function lockInAnotherProcess(): Promise<{ answer: string; process: ChildProcess }> {
  const process = spawnTypescript(fileURLToPath(new URL('fixtures/lock-holder.fixture.ts', import.meta.url)), [
    directory,
  ]);
  others.push(process);
  const [answer] = (await once(createInterface(process.stdout as Readable), 'line')) as [string];
  return { answer, process };
}

async function kill(other: ChildProcess): Promise<void> {
  if (other.signalCode !== null) return;
  other.kill('SIGKILL');
  await once(other, 'exit');
}

it('reports the process that holds the directory and what to do', async () => {
  const holder = await lockInAnotherProcess();
  expect(holder.answer).toBe('locked');
  await expect(lockDirectory(directory)).rejects.toThrow(
    `The data directory ${directory} is in use by process ${holder.process.pid}: stop that first, or set DATA_DIR to another directory`,
  );
});

it('tolerates an incomplete record of the holder', async () => {
  await lockInAnotherProcess();
  await writeFile(join(directory, 'lock.json'), '{"pid":');
  await expect(lockDirectory(directory)).rejects.toThrow('in use by another process');
});

it('takes over from a process that was killed', async () => {
  const holder = await lockInAnotherProcess();
  await kill(holder.process);
  const lock = await lockDirectory(directory);
  expect((await lockInAnotherProcess()).answer).toContain(`in use by process ${process.pid}`);
  await lock.release();
});

it('is free again after a release', async () => {
  await (await lockDirectory(directory)).release();
  expect((await lockInAnotherProcess()).answer).toBe('locked');
});

it('refuses the same process a second time', async () => {
  const lock = await lockDirectory(directory);
  await expect(lockDirectory(directory)).rejects.toThrow('in use by this process already');
  await lock.release();
});

it('lets exactly one of several simultaneous starters win, also after a killed holder', async () => {
  await kill((await lockInAnotherProcess()).process);
  const contenders = await Promise.all(Array.from({ length: 5 }, lockInAnotherProcess));
  const winners = contenders.filter(({ answer }) => answer === 'locked');
  expect(winners).toHaveLength(1);
  for (const { answer } of contenders.filter((contender) => contender !== winners[0])) {
    // A loser that cannot read the pid of the winner in time reports "another process".
    expect(answer).toMatch(new RegExp(`in use by (process ${winners[0]?.process.pid}:|another process)`));
  }
});

it('reports why a directory cannot be used', async () => {
  await writeFile(join(folder, 'file'), '');
  const impossible = join(folder, 'file', 'data');
  await expect(lockDirectory(impossible)).rejects.toThrow(`The data directory ${impossible} cannot be used: ENOTDIR`);
});
