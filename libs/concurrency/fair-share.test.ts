import { expect, it } from 'vitest';
import { FairShare } from './fair-share.js';

it('never lets one key wait for another, and runs only a few at a time for each', async () => {
  const shares = new FairShare(2);
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  const gate = Promise.withResolvers<void>();
  const work = (key: string, until: Promise<void>) =>
    shares.run(key, async () => {
      running.set(key, (running.get(key) ?? 0) + 1);
      most.set(key, Math.max(most.get(key) ?? 0, running.get(key)!));
      await until;
      running.set(key, running.get(key)! - 1);
    });
  const greedy = Array.from({ length: 50 }, () => work('greedy', gate.promise));
  await work('modest', Promise.resolve());
  expect(running.get('greedy')).toBe(2);
  gate.resolve();
  await Promise.all(greedy);
  expect(Object.fromEntries(most)).toEqual({ greedy: 2, modest: 1 });
});

it('continues after work that failed', async () => {
  const shares = new FairShare(1);
  await expect(shares.run('a', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await shares.run('a', async () => 'done')).toBe('done');
});
