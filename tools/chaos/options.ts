import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export interface ChaosOptions {
  /** For how many minutes faults are injected. */
  readonly minutes: number;
  /** Number of MCPRegistry objects in the cluster. */
  readonly registries: number;
  /** Number of registries with a real server process. The Deployments of the others never get a pod. */
  readonly servers: number;
  /** Seed of the random generator, which selects the faults, the affected processes and the order. */
  readonly seed: number;
  /** How long recovery may take after the last fault. */
  readonly settleSeconds: number;
  /** Whether to keep the folder with logs and data. */
  readonly keep: boolean;
}

export const USAGE = `Usage: npm run chaos -- [--minutes=60] [--registries=200] [--servers=12] [--seed=N] [--settle=300] [--keep]
       npm run chaos -- --kills=30

Runs the operator and registry servers on a real API server, Temporal and Postgres, injects faults at random, and checks
that everything recovers. With --kills it repeats kill -9 in the middle of imports instead.

  --minutes=N      how long faults are injected (default 60); each kind of fault happens at least once
  --registries=N   MCPRegistry objects (default 200)
  --servers=N      registries with a real server process (default 12)
  --seed=N         repeats the choices of an earlier run
  --settle=N       seconds that everything may take to settle afterwards (default 300)
  --keep           leaves the folder with logs and data behind, and says where it is
`;

/** Parses the arguments. Throws for an unknown option or an invalid number. */
export function readOptions(args: readonly string[]): ChaosOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: text, registries: text, servers: text, seed: text, settle: text, keep: { type: 'boolean' } },
  });
  const numberOf = (name: Exclude<keyof typeof values, 'keep'>, otherwise: number, least: number): number => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (!(value >= least)) throw new Error(`--${name} must be a number of at least ${least}, not "${values[name]}"`);
    return value;
  };
  const servers = numberOf('servers', 12, 2);
  return {
    minutes: numberOf('minutes', 60, 0),
    registries: Math.max(servers, numberOf('registries', 200, 2)),
    servers,
    seed: numberOf('seed', randomInt(2 ** 31), 0),
    settleSeconds: numberOf('settle', 300, 1),
    keep: values.keep ?? false,
  };
}
