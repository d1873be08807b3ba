import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runCommand } from './run-command.js';

/** Returns whether a process is running. A zombie is not. */
function runs(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

const signal = new AbortController().signal;

describe('runCommand', () => {
  it('returns stdout and shows each line of stderr', async () => {
    const lines: string[] = [];
    const script = 'echo out; echo one >&2; echo two >&2';
    const out = await runCommand('/bin/sh', ['-c', script], { signal, onDiagnostic: (line) => lines.push(line) });
    expect(out).toBe('out\n');
    expect(lines).toEqual(['one', 'two']);
  });

  it('fails with the last output of the command', async () => {
    const failing = runCommand('/bin/sh', ['-c', 'echo no such module >&2; exit 3'], { signal });
    await expect(failing).rejects.toThrow('no such module');
  });

  it('reports which program is missing', async () => {
    await expect(runCommand('/nowhere/go', [], { signal })).rejects.toThrow('/nowhere/go');
  });

  it('kills the whole process group when aborted, even processes that ignore SIGTERM', async () => {
    const interruption = new AbortController();
    const pids: number[] = [];
    const script = 'sh -c \'trap "" TERM; echo $$ >&2; while :; do sleep 1; done\'; true';
    const running = runCommand('/bin/sh', ['-c', script], {
      signal: interruption.signal,
      onDiagnostic(line) {
        pids.push(Number(line));
        interruption.abort(new Error('interrupted by the test'));
      },
    });
    await expect(running).rejects.toThrow('interrupted by the test');
    expect(pids).toHaveLength(1);
    expect(runs(pids[0]!)).toBe(false);
  });

  it('aborts a command that does not respond in time', async () => {
    const running = runCommand('/bin/sh', ['-c', 'sleep 60'], { signal, timeoutMs: 50 });
    await expect(running).rejects.toThrow('no response within 0.05 s');
  });
});
