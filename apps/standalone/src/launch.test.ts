import { once } from 'node:events';
import { expect, it } from 'vitest';
import { launcher } from './launch.js';

/** A launcher for simulated servers, with a record of their starts and stops. */
function world() {
  const events: string[] = [];
  const stack = new AsyncDisposableStack();
  const interrupt = new AbortController();
  const launch = launcher(stack, interrupt.signal);
  const start = (name: string, started: (signal: AbortSignal) => Promise<unknown>) =>
    launch(
      async (signal) => {
        await started(signal);
        events.push(`${name} up`);
        return name;
      },
      async (which) => events.push(`${which} down`),
    );
  return { events, stack, interrupt, start };
}

it('stops what has started, in reverse order', async () => {
  const { events, stack, start } = world();
  await start('database', async () => undefined);
  await start('api', async () => undefined);
  await stack.disposeAsync();
  expect(events).toEqual(['database up', 'api up', 'api down', 'database down']);
});

it('aborts what is still starting when something else has failed, and waits for that', async () => {
  const { events, stack, start } = world();
  const slow = start('temporal', async (signal) => {
    await once(signal, 'abort');
    throw signal.reason;
  });
  const failing = start('database', async () => Promise.reject(new Error('no database')));
  await expect(Promise.all([slow, failing])).rejects.toThrow('no database');
  await stack.disposeAsync();
  await expect(slow).rejects.toThrow('the start was aborted');
  expect(events).toEqual([]);
});

it('aborts what waits for something that was started later', async () => {
  const { events, stack, start } = world();
  const slow = start('database', async (signal) => {
    await once(signal, 'abort');
    throw signal.reason;
  });
  const waiting = start('api', () => slow);
  const failing = start('temporal', async () => Promise.reject(new Error('no Temporal')));
  await expect(Promise.all([slow, waiting, failing])).rejects.toThrow('no Temporal');
  await stack.disposeAsync();
  await expect(waiting).rejects.toThrow('the start was aborted');
  expect(events).toEqual([]);
});

it('stops what started although it was aborted', async () => {
  const { events, stack, start } = world();
  const deaf = start('temporal', (signal) => once(signal, 'abort'));
  await stack.disposeAsync();
  expect(await deaf).toBe('temporal');
  expect(events).toEqual(['temporal up', 'temporal down']);
});

it('aborts the start with the reason of the interruption', async () => {
  const { interrupt, start } = world();
  const starting = start('temporal', async (signal) => {
    await once(signal, 'abort');
    throw signal.reason;
  });
  interrupt.abort(new Error('Ctrl-C'));
  await expect(starting).rejects.toThrow('Ctrl-C');
});
