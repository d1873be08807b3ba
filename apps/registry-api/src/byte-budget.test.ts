import { expect, it } from 'vitest';
import { ByteBudget, Overloaded } from './byte-budget.js';

it('admits exactly its limit, and frees released bytes only once', () => {
  const budget = new ByteBudget(100);
  const release = budget.acquire(60);
  const other = budget.acquire(40);
  expect(() => budget.acquire(1)).toThrow(Overloaded);
  release();
  release();
  expect(budget.usedBytes).toBe(40);
  other();
  expect(() => budget.acquire(101)).toThrow(/raise the memory limit/);
  expect(budget.usedBytes).toBe(0);
});

it('aborts the user that has held its bytes for longest when others need them, but none that has just begun', () => {
  let nowMs = 0;
  const budget = new ByteBudget(100, () => nowMs);
  const aborted: number[] = [];
  for (const number of [1, 2]) {
    const release = budget.acquire(50);
    const untrack = budget.track({
      destroy: () => {
        aborted.push(number);
        untrack();
        release();
      },
    });
    nowMs += 20_000;
  }
  expect(() => budget.acquire(50)).toThrow(Overloaded);
  expect(aborted).toEqual([1]);
  budget.acquire(50);
  expect(budget.tryAcquire(50)).toBeUndefined();
  expect(aborted).toEqual([1]);
});
