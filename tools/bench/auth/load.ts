import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Requests to send for a while: as many as are responded to, and in addition those of strangers at a constant rate. */
export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly durationMs: number;
  /** Tokens to send in turn. If empty, no token is sent. */
  readonly tokens: readonly string[];
  readonly strangers: readonly string[];
  readonly strangersPerSecond: number;
}

export interface LoadResult {
  readonly answered: number;
  /** Number of responses to tokens with a status other than 200, and to strangers with a status other than 401. */
  readonly wrong: number;
  readonly seconds: number;
  readonly p99Ms: number;
}

export interface LoadGenerator extends Disposable {
  send(load: Load): Promise<LoadResult>;
}

/** Generates the load in a separate process, so that the CPU time of this process is that of the server. */
export function startLoadGenerator(): LoadGenerator {
  const child = fork(new URL('load.process.js', import.meta.url));
  return {
    async send(load) {
      child.send(load);
      const [result] = (await once(child, 'message')) as [LoadResult];
      return result;
    },
    [Symbol.dispose]: () => void child.kill(),
  };
}
