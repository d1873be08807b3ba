import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Requests that are sent for a while: as many as are answered, and strangers' at a steady rate beside them. */
export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly durationMs: number;
  /** Taken in turn; none is sent when there are none. */
  readonly tokens: readonly string[];
  readonly strangers: readonly string[];
  readonly strangersPerSecond: number;
}

export interface LoadResult {
  readonly answered: number;
  /** Answers to the tokens that were not 200, and to strangers that were not 401. */
  readonly wrong: number;
  readonly seconds: number;
  readonly p99Ms: number;
}

export interface LoadGenerator extends Disposable {
  send(load: Load): Promise<LoadResult>;
}

/** Runs the load in a process of its own, so that the CPU time of this one is that of the server. */
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
