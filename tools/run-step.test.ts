import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-step-'));
});

afterEach(() => rm(folder, { recursive: true }));

/** Runs a shell script in the folder as a step. */
function run(script: string) {
  const module = new URL('run-step.mjs', import.meta.url).href;
  const program = `const { runStep } = await import(${JSON.stringify(module)});
    process.exitCode = await runStep('working', '/bin/sh', ['-c', ${JSON.stringify(script)}]);`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: folder, stdio: 'ignore' });
}

async function appears(name: string): Promise<void> {
  await expect.poll(() => existsSync(join(folder, name))).toBe(true);
}

function lives(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

it('ends with the exit code of the command', async () => {
  expect(await once(run('exit 3'), 'close')).toEqual([3, null]);
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('waits after %s until the command has ended, and leaves no process behind', async (signal, code) => {
  const step = run(`
    trap 'sleep 0.3; touch tidied; exit 0' INT TERM
    (trap '' INT TERM; exec sleep 60) &
    echo $$ > group
    touch begun
    while :; do sleep 0.05; done`);
  const exited = once(step, 'close');
  await appears('begun');
  step.kill(signal);
  expect(await exited).toEqual([code, null]);
  expect(existsSync(join(folder, 'tidied'))).toBe(true);
  const group = Number(await readFile(join(folder, 'group'), 'utf8'));
  await expect.poll(() => lives(group)).toBe(false);
});

it('kills a command that ignores the signal', async () => {
  const step = run(`trap '' INT; touch begun; while :; do sleep 0.05; done`);
  const exited = once(step, 'close');
  await appears('begun');
  step.kill('SIGINT');
  expect(await exited).toEqual([130, null]);
});
