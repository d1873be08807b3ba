import { describe, expect, it } from 'vitest';
import { BodiesTooLarge, BodyBudget } from './body-budget.js';

const MIB = 1024 * 1024;

describe('bodies', () => {
  it('take at most their budget together, and small ones always fit', () => {
    const budget = new BodyBudget(10 * MIB);
    const large = budget.open();
    large.add(6 * MIB);
    large.add(5 * MIB);
    const other = budget.open();
    other.add(MIB);
    expect(() => other.add(1)).toThrow(BodiesTooLarge);
    for (let each = 0; each < 64; each++) budget.open().add(MIB);
  });

  it('return their memory once', () => {
    const budget = new BodyBudget(10 * MIB);
    const large = budget.open();
    large.add(11 * MIB);
    large[Symbol.dispose]();
    large[Symbol.dispose]();
    budget.open().add(11 * MIB);
    expect(() => budget.open().add(2 * MIB)).toThrow(BodiesTooLarge);
  });
});
