import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ExportBusy, RenderQueue } from './render-queue.js';

it('runs one task at a time in order of arrival, rejects one above its limit, and continues after a failure', async () => {
  const queue = new RenderQueue(3);
  const seen: string[] = [];
  let running = 0;
  let most = 0;
  const task = (name: string) =>
    queue.run(async () => {
      most = Math.max(most, ++running);
      await turn();
      seen.push(name);
      running--;
      if (name === 'b') throw new Error('b failed');
      return name;
    });
  const results = Promise.allSettled(['a', 'b', 'c', 'd'].map(task));
  const [a, b, c, d] = await results;
  expect([a?.status, b?.status, c?.status, d?.status]).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
  expect(d).toHaveProperty('reason', expect.any(ExportBusy));
  expect([seen, most]).toEqual([['a', 'b', 'c'], 1]);
  expect(await task('e')).toBe('e');
});
