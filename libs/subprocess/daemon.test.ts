import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startDaemon } from './daemon.js';
import type { Daemon, DaemonOptions } from './daemon.js';
import { spawnTypescript } from './fixtures/spawn-typescript.js';
import { identifyProcess, isRunning } from './process-identity.js';

/** Writes its pid, and exits on SIGTERM like a well-behaved server. */
const SERVER = `
  const { writeFileSync } = require('node:fs');
  process.on('SIGTERM', () => process.exit(0));
  setInterval(() => {}, 60_000);
  writeFileSync(process.argv[1], String(process.pid));
`;

let directory: string;
let daemons: Daemon[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'daemon-'));
  daemons = [];
});

afterEach(async () => {
  for (const daemon of daemons) await daemon.stop();
  await rm(directory, { recursive: true });
});

function options(script = SERVER): DaemonOptions {
  const pidFile = join(directory, 'pid');
  return {
    name: 'Server',
    command: process.execPath,
    args: ['-e', script, pidFile],
    logFile: join(directory, 'server.log'),
    recordFile: join(directory, 'server.json'),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 5_000,
    ready: async () => Number(await readFile(pidFile, 'utf8')) > 0,
  };
}

async function start(from: DaemonOptions): Promise<Daemon> {
  const daemon = await startDaemon(from);
  daemons.push(daemon);
  return daemon;
}

describe('startDaemon', () => {
  it('runs the command in its own process group until it is stopped, and then leaves no record', async () => {
    const daemon = await start(options());
    const identity = await identifyProcess(daemon.pid as number);
    expect(await readFile(join(directory, 'pid'), 'utf8')).toBe(String(daemon.pid));
    expect(JSON.parse(await readFile(join(directory, 'server.json'), 'utf8'))).toMatchObject({ child: identity });
    expect(() => process.kill(-(daemon.pid as number), 0)).not.toThrow();

    await Promise.all([daemon.stop(), daemon.stop()]);
    expect(identity && (await isRunning(identity))).toBe(false);
    expect(existsSync(join(directory, 'server.json'))).toBe(false);
  });

  it('reports the output of a child that exits before it is ready', async () => {
    const failing = options('console.error("the port is taken"); process.exit(3)');
    await expect(start(failing)).rejects.toThrow(
      /^Server ended with exit code 3 before it was ready;[^]*the port is taken/,
    );
    expect(existsSync(join(directory, 'server.json'))).toBe(false);
  });

  it('reports a command that does not exist', async () => {
    await expect(start({ ...options(), command: '/does/not/exist' })).rejects.toThrow(/Server ended.*\n.*not found/);
  });

  it('kills a child that is not ready in time', async () => {
    let pid = 0;
    const ready = (asked: number) => Promise.reject(new Error(`nobody listens in ${(pid = asked)}`));
    const slow = { ...options(), readyTimeoutMs: 300, ready };
    await expect(start(slow)).rejects.toThrow(/^Server was not ready after 0.3 s: nobody listens/);
    expect(await identifyProcess(pid)).toBeUndefined();
    expect(existsSync(join(directory, 'server.json'))).toBe(false);
  });

  it('aborts a start with the reason of the signal', async () => {
    const abort = new AbortController();
    const starting = start({
      ...options(),
      signal: abort.signal,
      ready: async () => {
        abort.abort(new Error('the user pressed Ctrl-C'));
        return new Promise(() => undefined);
      },
    });
    await expect(starting).rejects.toThrow('the user pressed Ctrl-C');
    expect(existsSync(join(directory, 'server.json'))).toBe(false);
  });

  it('inherits nothing from the environment', async () => {
    const script = 'require("node:fs").writeFileSync(process.argv[1], String(process.pid)); console.log(process.env)';
    await start({ ...options(`${script}; setInterval(() => {}, 1000)`), env: { ONLY: 'this' } });
    await expect.poll(() => readFile(join(directory, 'server.log'), 'utf8')).toContain('ONLY');
    expect(await readFile(join(directory, 'server.log'), 'utf8')).not.toContain('HOME');
  });

  it('kills a child that ignores the stop signal, and its children', async () => {
    const daemon = await start({
      ...options(`
        process.on('SIGTERM', () => {});
        const helper = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
        require('node:fs').writeFileSync(process.argv[1], String(helper.pid));
        setInterval(() => {}, 1000);
      `),
      stopTimeoutMs: 200,
    });
    const leader = await identifyProcess(daemon.pid as number);
    const helper = await identifyProcess(Number(await readFile(join(directory, 'pid'), 'utf8')));
    await daemon.stop();
    expect(leader && (await isRunning(leader))).toBe(false);
    await expect.poll(async () => helper && (await isRunning(helper))).toBe(false);
  });

  it('restarts the child when it is killed', async () => {
    const exits: string[] = [];
    const restarted = Promise.withResolvers<void>();
    const daemon = await start({
      ...options(),
      onExit: ({ message, restartInMs }) => exits.push(`${message.split(';')[0]}, again in ${restartInMs} ms`),
      onRestart: restarted.resolve,
    });
    const first = daemon.pid as number;
    process.kill(first, 'SIGKILL');
    await restarted.promise;
    expect(exits).toEqual(['Server was killed by SIGKILL, again in 1000 ms']);
    expect(daemon.pid).not.toBe(first);
    expect(await identifyProcess(daemon.pid as number)).toBeDefined();
    expect(await readFile(join(directory, 'server.json'), 'utf8')).toContain(String(daemon.pid));
  });

  it('retries a failed restart, and stops immediately while it waits', async () => {
    const failedTwice = Promise.withResolvers<void>();
    const exits: (number | undefined)[] = [];
    const from = options();
    const daemon = await start({
      ...from,
      prepare: async () => {
        if (exits.length > 0) throw new Error('not now');
      },
      onExit: ({ restartInMs }) => exits.push(restartInMs) === 2 && failedTwice.resolve(),
    });
    process.kill(daemon.pid as number, 'SIGKILL');
    await failedTwice.promise;
    await daemon.stop();
    expect(exits).toEqual([1000, 2000]);
    expect(daemon.pid).toBeUndefined();
    expect(existsSync(from.recordFile)).toBe(false);
  });

  it('does not restart the child if restarts are disabled', async () => {
    const exited = Promise.withResolvers<number | undefined>();
    const daemon = await start({
      ...options(),
      restart: false,
      onExit: ({ restartInMs }) => exited.resolve(restartInMs),
    });
    process.kill(daemon.pid as number, 'SIGKILL');
    expect(await exited.promise).toBeUndefined();
    await daemon.stop();
  });
});

describe('after a kill -9 of the owner', () => {
  /** Starts the daemon from another process, and returns both processes. */
  async function startInAnotherProcess(from: DaemonOptions) {
    const owner = spawnTypescript(fileURLToPath(new URL('fixtures/owner.fixture.ts', import.meta.url)), [
      JSON.stringify(from),
    ]);
    const [line] = (await once(createInterface(owner.stdout as Readable), 'line')) as [string];
    const child = await identifyProcess(Number(line));
    if (!child) throw new Error(`the owner says ${line}`);
    return { owner, child };
  }

  it('stops the orphan before it starts again', async () => {
    const { owner, child } = await startInAnotherProcess(options());
    await expect(start(options())).rejects.toThrow(`Server belongs to process ${owner.pid}`);

    owner.kill('SIGKILL');
    await once(owner, 'exit');
    expect(await isRunning(child)).toBe(true);

    const daemon = await start(options());
    expect(await isRunning(child)).toBe(false);
    expect(daemon.pid).not.toBe(child.pid);
  });

  it('does not stop an unrelated process with the recorded pid', async () => {
    const { owner, child } = await startInAnotherProcess(options());
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const record = JSON.parse(await readFile(options().recordFile, 'utf8'));
    await writeFile(options().recordFile, JSON.stringify({ ...record, child: { ...child, startedAt: 'earlier' } }));

    await start(options());
    expect(await isRunning(child)).toBe(true);
    process.kill(child.pid, 'SIGKILL');
  });

  it('leaves no unrecorded process, wherever it was killed', async () => {
    // The record cannot be written, as if the process had been killed just before. In this case, the command must never
    // run.
    const from = { ...options(), recordFile: join(directory, 'server.log', 'impossible.json') };
    await expect(start(from)).rejects.toThrow(/ENOTDIR|EEXIST/);
    await expect(readFile(join(directory, 'pid'))).rejects.toThrow('ENOENT');
  });
});
