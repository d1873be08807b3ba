import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { formatTable } from '../bench/bench-table.js';
import { formatCheck } from './checks.js';
import { readOptions, USAGE } from './options.js';
import type { ChaosOptions } from './options.js';
import { runChaos } from './run-chaos.js';

/** The exit code that shells use for SIGINT. */
const INTERRUPTED = 130;
const KILLS = /^--kills(?:=(\d+))?$/;
/** Tests that kill processes during imports. */
const KILL_TESTS = ['standalone-crash', 'kill-worker'].map((name) => `test/integration/${name}.test.ts`);

/**
 * `npm run chaos`: see USAGE. Exits with 0 if every check passes, with 1 if one fails, and with 2 for invalid
 * arguments.
 */
const args = process.argv.slice(2);
const kills = args.map((arg) => KILLS.exec(arg)).find((found) => found !== null);
if (args.includes('--help')) process.stdout.write(USAGE);
else if (kills) process.exitCode = await repeatKills(kills[1] ?? '30');
else {
  const options = parse();
  process.exitCode = options ? await run(options) : 2;
}

function parse(): ChaosOptions | undefined {
  try {
    return readOptions(args);
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n\n${USAGE}`);
    return undefined;
  }
}

async function run(options: ChaosOptions): Promise<number> {
  const log = (line: string) => void process.stdout.write(`${line}\n`);
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopping.abort());
  log(`chaos with --seed=${options.seed}`);
  const result = await runChaos(options, log, stopping.signal).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  if (!result) {
    log('interrupted: everything is stopped');
    return INTERRUPTED;
  }
  const { tables, checks } = result;
  for (const table of tables) log(`\n${formatTable(table)}`);
  const [failed, held] = [
    checks.filter(({ faults }) => faults.length > 0),
    checks.filter(({ faults }) => faults.length === 0),
  ];
  // Failed checks come last, so that they are visible at the end of a long log.
  log(`\n${[...held, ...failed].map(formatCheck).join('\n')}`);
  const verdict = failed.length === 0 ? 'every check passed' : `${failed.length} of ${checks.length} checks failed`;
  log(`\n${verdict}; --seed=${options.seed}`);
  return failed.length === 0 ? 0 : 1;
}

async function repeatKills(count: string): Promise<number> {
  const child = spawn('npm', ['exec', '--', 'vitest', 'run', '--project', 'integration', ...KILL_TESTS], {
    stdio: 'inherit',
    env: { ...process.env, CHAOS_KILLS: count },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
