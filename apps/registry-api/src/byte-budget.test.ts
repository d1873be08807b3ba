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
