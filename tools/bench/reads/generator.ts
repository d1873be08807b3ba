import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { projectRoot } from '#environment/project-root.js';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('tools/bench/reads/wrk.lua', projectRoot));

export interface GeneratedLoad {
  readonly port: number;
  readonly connections: number;
  /** Whole seconds, because wrk accepts nothing else. */
  readonly seconds: number;
  /** The path and additional header lines of each request. The requests are sent in turn. */
  readonly requests: readonly string[];
  readonly expectedStatus: number;
}

export interface GeneratedResult {
  readonly requests: number;
  readonly seconds: number;
  /** Latencies in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * Sends load from a separate process. A generator slower than the server hides what a request costs: the server sleeps
 * between two requests, which adds the same cost to both sides of a comparison.
 */
export interface Generator {
  /**
   * `wrk`, or `node` with the share of a core that it used. Above 90 %, the generator and not the server sets the pace.
   */
  readonly name: string;
  send(load: GeneratedLoad): Promise<GeneratedResult>;
}

/** Returns wrk if it is installed, otherwise a generator in Node. */
export async function findGenerator(): Promise<Generator> {
  const isInstalled = await run('wrk', ['-v']).then(
    () => true,
    // wrk exits with 1 after it has printed its version.
    ({ code }: { code?: unknown }) => code === 1,
  );
  return isInstalled ? { name: 'wrk', send: sendByWrk } : new NodeGenerator();
}

async function sendByWrk({ port, connections, seconds, requests }: GeneratedLoad): Promise<GeneratedResult> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-registry-wrk-'));
  try {
    const file = join(directory, 'requests');
    await writeFile(file, requests.map(toRawRequest).join('\n'));
    const url = `http://127.0.0.1:${port}`;
    const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', SCRIPT, url, '--', file]);
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as GeneratedResult & { failed: number };
    if (result.failed > 0) throw new Error(`${result.failed} of ${result.requests} requests failed`);
    return result;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function toRawRequest(request: string): string {
  const [path, ...headers] = request.split('\r\n').filter((line) => line !== '');
  return [`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\\r\\n');
}

class NodeGenerator implements Generator {
  #cpuShare = 0;

  get name(): string {
    return `node at ${Math.round(100 * this.#cpuShare)} % of a core`;
  }

  async send(load: GeneratedLoad): Promise<GeneratedResult> {
    const child = fork(fileURLToPath(new URL('load.process.js', import.meta.url)));
    child.send(load);
    const [{ cpuSeconds, ...result }] = (await once(child, 'message')) as [GeneratedResult & { cpuSeconds: number }];
    child.kill();
    this.#cpuShare = cpuSeconds / result.seconds;
    return result;
  }
}
