import { obtainTool } from './obtain-tool.js';
import { createProgress } from './progress.js';
import { tools } from './tools.js';
import type { ToolName } from './tools.js';

/** Obtains the servers with these names and prints a line `name path` for each. */
async function main(names: string[]): Promise<number> {
  const unknown = names.filter((name) => !Object.hasOwn(tools, name));
  if (names.length === 0 || unknown.length > 0) {
    process.stderr.write(`${unknown.map((name) => `unknown tool ${name}\n`).join('')}`);
    process.stderr.write(
      `usage: node dist/libs/devstack/main.js NAME..., one or more of: ${Object.keys(tools).join(' ')}\n`,
    );
    return 2;
  }
  const interruption = new AbortController();
  // Each signal is handled only once: a second Ctrl-C kills the process immediately, and the next start cleans up.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());

  const progress = createProgress();
  try {
    for (const name of names as ToolName[]) {
      const path = await obtainTool(name, { progress, signal: interruption.signal });
      progress.done();
      process.stdout.write(`${name} ${path}\n`);
    }
    return 0;
  } catch (error) {
    progress.done();
    process.stderr.write(interruption.signal.aborted ? 'interrupted\n' : `${(error as Error).message}\n`);
    return interruption.signal.aborted ? 130 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
