import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from './run.js';
import type { RunOptions } from './run.js';

let directory: string;

/** Generous limits, because Node reserves tens of gigabytes of address space. */
const LIMITS = { addressSpaceBytes: 2 ** 42, residentBytes: 2 ** 30, fileBytes: 10_000_000 };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'run-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** Runs JavaScript in a child process. */
function script(source: string, options: Partial<RunOptions> = {}) {
  return run(process.execPath, ['-e', source], {
    env: { PATH: process.env['PATH'] ?? '' },
    signal: new AbortController().signal,
    timeoutMs: 30_000,
    limits: LIMITS,
    maxOutputBytes: 1_000_000,
    ...options,
  });
}

/** A process that ignores SIGTERM and starts a child that does the same. It writes both pids to a file. */
const STUBBORN_FAMILY = `
  process.on('SIGTERM', () => {});
  const child = require('node:child_process').spawn(process.execPath, ['-e',
    'process.on("SIGTERM", () => {}); process.stdout.write("ready"); setInterval(() => {}, 1000)']);
  child.stdout.once('data', () => {
    require('node:fs').writeFileSync('pids.tmp', process.pid + ' ' + child.pid);
    require('node:fs').renameSync('pids.tmp', 'pids');
    process.stdout.write('ready');
  });
  setInterval(() => {}, 1000);`;

async function familyIsGone(): Promise<boolean> {
  const pids = (await readFile(join(directory, 'pids'), 'utf8')).split(' ');
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,stat']);
  const alive = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return pids.every((pid) => !alive.some(([id, state]) => id === pid && !state?.startsWith('Z')));
}

it('returns output and exit code, whatever the code is', async () => {
  expect(await script('process.stdout.write("out é"); console.error("err"); process.exitCode = 3')).toEqual({
    stdout: 'out é',
    stderr: 'err\n',
    exitCode: 3,
  });
  expect((await script('process.kill(process.pid, "SIGKILL")')).exitCode).toBe(137);
});

it('passes its input to the child, and nothing of the environment', async () => {
  const { stdout } = await script('process.stdin.pipe(process.stdout); console.log(Object.keys(process.env))', {
    env: { ONLY: 'this' },
    input: 'given',
  });
  expect(stdout).toContain('given');
  expect(stdout).toContain("[ 'ONLY' ]");
});

it('passes arguments unchanged, because there is no shell', async () => {
  const { stdout } = await run(process.execPath, ['-p', 'process.argv[1]', '$(id) `id` ; *'], {
    env: {},
    signal: new AbortController().signal,
    timeoutMs: 30_000,
    limits: LIMITS,
    maxOutputBytes: 1_000,
  });
  expect(stdout).toBe('$(id) `id` ; *\n');
});

it('accepts a child that does not read its input', async () => {
  expect((await script('process.exit(0)', { input: Buffer.alloc(1_000_000) })).exitCode).toBe(0);
});

it('writes standard output to a file', async () => {
  const stdoutFile = join(directory, 'out');
  const { stdout } = await script('process.stdout.write("x".repeat(300_000))', { stdoutFile });
  expect(stdout).toBe('');
  expect((await readFile(stdoutFile)).length).toBe(300_000);
});

it('reports a command that does not exist', async () => {
  await expect(
    run('no-such-command', [], {
      env: {},
      signal: new AbortController().signal,
      timeoutMs: 1_000,
      limits: LIMITS,
      maxOutputBytes: 1,
    }),
  ).rejects.toMatchObject({ name: 'RunFailure', kind: 'not-started' });
});

it.each([{}, { stdoutFile: 'out' }])('stops a child with endless output (%j)', async ({ stdoutFile }) => {
  const endless = 'const more = () => process.stdout.write("x".repeat(65536), more); more()';
  const file = stdoutFile && { stdoutFile: join(directory, stdoutFile) };
  await expect(script(endless, { ...file, maxOutputBytes: 200_000 })).rejects.toMatchObject({
    kind: 'too-much-output',
  });
  if (file) expect((await readFile(file.stdoutFile)).length).toBeLessThanOrEqual(200_000);
});

it('keeps only the beginning of endless error output', async () => {
  const { stderr } = await script('process.stderr.write("first"); process.stderr.write("x".repeat(1_000_000))');
  expect(stderr.startsWith('first')).toBe(true);
  expect(stderr.length).toBe(64 * 1024);
});

it('stops a child with endless error output', async () => {
  const endless = 'const more = () => process.stderr.write("x".repeat(65536), more); more()';
  await expect(script(endless)).rejects.toMatchObject({ kind: 'too-much-output' });
});

it('limits the address space of each process', async () => {
  const limits = { ...LIMITS, addressSpaceBytes: 64 * 1024 * 1024 };
  const { exitCode } = await run('/bin/sh', ['-c', 'x=x; while :; do x="$x$x"; done'], {
    env: {},
    signal: new AbortController().signal,
    timeoutMs: 30_000,
    limits,
    maxOutputBytes: 1_000,
  });
  expect(exitCode).not.toBe(0);
});

it('stops processes that together use more memory than the limit of one', async () => {
  const family = `
    const hoard = 'globalThis.kept = Buffer.alloc(150e6, 1); setInterval(() => {}, 1000)';
    for (let i = 0; i < 3; i++) require('node:child_process').spawn(process.execPath, ['-e', hoard]);
    setInterval(() => {}, 1000)`;
  const stopped = script(family, { limits: { ...LIMITS, residentBytes: 300e6 } });
  await expect(stopped).rejects.toMatchObject({ kind: 'too-much-memory' });
});

it('limits the size of each file', async () => {
  const path = join(directory, 'large');
  const { exitCode } = await script(`require('node:fs').writeFileSync(${JSON.stringify(path)}, Buffer.alloc(20e6))`);
  expect(exitCode).not.toBe(0);
  expect((await stat(path)).size).toBeLessThanOrEqual(LIMITS.fileBytes);
});

it('kills a process group that ignores signals when the time is over', async () => {
  await expect(script(STUBBORN_FAMILY, { cwd: directory, timeoutMs: 8_000 })).rejects.toMatchObject({
    kind: 'timed-out',
  });
  await expect.poll(familyIsGone).toBe(true);
});

it('kills the process group on abort and throws the reason', async () => {
  const controller = new AbortController();
  const running = script(STUBBORN_FAMILY, { cwd: directory, signal: controller.signal });
  const poll = setInterval(() => {
    readFile(join(directory, 'pids')).then(
      () => controller.abort(new Error('no longer wanted')),
      () => undefined,
    );
  }, 20);
  await expect(running).rejects.toThrow('no longer wanted');
  clearInterval(poll);
  await expect.poll(familyIsGone).toBe(true);
});

it('starts nothing after it was aborted', async () => {
  const aborted = AbortSignal.abort(new Error('too late'));
  await expect(
    script('require("node:fs").writeFileSync("trace", "")', { signal: aborted, cwd: directory }),
  ).rejects.toThrow('too late');
  await expect(readFile(join(directory, 'trace'))).rejects.toMatchObject({ code: 'ENOENT' });
});
