import { describe, expect, it } from 'vitest';
import { isWithinBudget, WALK_BUDGET, walkBounded } from './bounded-walk.js';

const nested = (depth: number, part: (inner: unknown) => unknown) => {
  let value: unknown = 'leaf';
  for (let level = 0; level < depth; level++) value = part(value);
  return value;
};

it('visits every field and item once, with its depth', () => {
  const visited: string[] = [];
  const isWhole = walkBounded(
    { a: [1, { b: null }], c: 'd' },
    ({ field, depth }) => void visited.push(`${field}@${depth}`),
  );
  expect(isWhole).toBe(true);
  expect(visited.sort()).toEqual(['0@2', '1@2', 'a@1', 'b@3', 'c@1']);
});

it.each([undefined, null, 1, 'text', [], {}])('visits nothing in %j', (value) => {
  expect(walkBounded(value, () => expect.unreachable())).toBe(true);
});

describe('the budget', () => {
  it('of depth stops at its limit, however deep the value is', () => {
    const { depth } = WALK_BUDGET;
    for (const part of [(inner: unknown) => [inner], (inner: unknown) => ({ inner })]) {
      expect(isWithinBudget(nested(depth, part))).toBe(true);
      expect(isWithinBudget(nested(depth + 1, part))).toBe(false);
      expect(isWithinBudget(nested(1_000_000, part))).toBe(false);
    }
  });

  it('of nodes stops at its limit', () => {
    const { nodes } = WALK_BUDGET;
    expect(isWithinBudget(Array.from({ length: nodes }))).toBe(true);
    expect(isWithinBudget(Array.from({ length: nodes + 1 }))).toBe(false);
  });

  it('stops cycles and exponentially shared parts', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(isWithinBudget(cycle)).toBe(false);
    expect(isWithinBudget(nested(40, (inner) => [inner, inner, inner]))).toBe(false);
  });
});
