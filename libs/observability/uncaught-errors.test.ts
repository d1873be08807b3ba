import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MODULE = fileURLToPath(new URL('./uncaught-errors.ts', import.meta.url));

/** Runs a process that fails in the given way and exits normally 50 ms later. */
function run(failure: string) {
  const script = `
    import { endOnUncaughtErrors } from ${JSON.stringify(MODULE)};
    const alive = setInterval(() => undefined, 1000);
    let stopped = false;
    endOnUncaughtErrors({
      report: (error, origin) => console.log(origin, String(error)),
      stop: () => {
        if (stopped) return;
        stopped = true;
        setTimeout(() => { console.log('ended in order'); clearInterval(alive); }, 50);
      },
    });
    ${failure}`;
  return spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], { encoding: 'utf8' });
}

it.each([
  ['an exception', 'setTimeout(() => { throw new Error("broken"); }, 0);', ['uncaughtException Error: broken']],
  ['a rejection', 'void Promise.reject(new Error("broken"));', ['unhandledRejection Error: broken']],
  ['a thrown string', 'setTimeout(() => { throw "text"; }, 0);', ['uncaughtException text']],
  [
    'a second one while it ends',
    'setTimeout(() => { throw new Error("one"); }, 0); setTimeout(() => { throw new Error("two"); }, 10);',
    ['uncaughtException Error: one', 'uncaughtException Error: two'],
  ],
])('reports an uncaught %s, and stops the process gracefully with code 1', (_name, failure, reports) => {
  const { status, stdout } = run(failure);
  expect(stdout.trim().split('\n')).toEqual([...reports, 'ended in order']);
  expect(status).toBe(1);
});
