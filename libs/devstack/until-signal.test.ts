import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

it('lets interrupted work clean up, however often the signal arrives', async () => {
  const module = new URL('until-signal.ts', import.meta.url).href;
  const program = `const { untilSignal } = await import(${JSON.stringify(module)});
    await untilSignal((signal) => new Promise((resolve, reject) => {
      setTimeout(resolve, 60_000).unref();
      process.stdin.resume();
      signal.addEventListener('abort', () => setTimeout(() => {
        process.stdout.write('tidied');
        reject(signal.reason);
      }, 100));
      process.stdout.write('begun ');
    })).catch((error) => process.stdout.write(' ' + error.message));
    process.exit(process.listenerCount('SIGINT'));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const said = text(child.stdout);
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  child.kill('SIGTERM');
  expect(await said).toContain('tidied interrupted');
  expect(await ended).toEqual([0, null]);
});
