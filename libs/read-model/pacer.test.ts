import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { nextTurn, Pacer } from './pacer.js';

it('continues one task in each turn of the event loop, in the order of their arrival', async () => {
  const continued: number[] = [];
  const tasks = Array.from({ length: 5 }, (_, number) => nextTurn().then(() => continued.push(number)));
  for (let turn = 0; turn < tasks.length; turn++) {
    expect(continued.length).toBeLessThanOrEqual(turn);
    await setImmediate();
  }
  await Promise.all(tasks);
  expect(continued).toEqual([0, 1, 2, 3, 4]);
});

it('lets tasks that pause again and again take turns', async () => {
  const order: string[] = [];
  const task = async (name: string) => {
    const pacer = new Pacer(0);
    for (let slice = 0; slice < 3; slice++) {
      await pacer.rest();
      order.push(name);
    }
  };
  await Promise.all([task('a'), task('b')]);
  expect(order.join('')).toBe('ababab');
});
