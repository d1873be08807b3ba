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
  /** wrk knows whole seconds only. */
  readonly seconds: number;
  /** Path and further header lines of each request; they are sent in turn. */
  readonly requests: readonly string[];
  readonly expectedStatus: number;
}

export interface GeneratedResult {
  readonly requests: number;
  readonly seconds: number;
  /** Latencies in ms. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * Sends load from a process of its own. A generator that is slower than the server hides what a request costs: it lets the
 * server sleep between two requests, which costs both sides of a comparison alike.
 */
export interface Generator {
  /** `wrk`, or `node` with the share of a core that it took: above 90 % it, and not the server, sets the pace. */
  readonly name: string;
  send(load: GeneratedLoad): Promise<GeneratedResult>;
}

/** Returns wrk where it is installed, and otherwise a generator in Node. */
export async function findGenerator(): Promise<Generator> {
  const isInstalled = await run('wrk', ['-v']).then(
    () => true,
    // It ends with 1 after it has said its version.
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
