import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BitSet } from './bit-set.js';

const members = fc.uniqueArray(fc.nat({ max: 99 }));
const bitSet = (of: readonly number[]) => {
  const set = new BitSet(100);
  for (const member of of) set.add(member);
  return set;
};
const ascending = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

it('behaves like a set of numbers', () => {
  fc.assert(
    fc.property(members, members, (left, right) => {
      expect(Array.from(bitSet(left).toArray())).toEqual(ascending(left));
      expect(bitSet(left).size).toBe(left.length);
      expect(bitSet(left).isEmpty()).toBe(left.length === 0);
      const both = left.filter((each) => right.includes(each));
      expect(Array.from(bitSet(left).keep(bitSet(right)).toArray())).toEqual(ascending(both));
      const rest = left.filter((each) => !right.includes(each));
      expect(Array.from(bitSet(left).remove(bitSet(right)).toArray())).toEqual(ascending(rest));
    }),
  );
});

it.each([0, 1, 31, 32, 33, 64, 100])('is full with all of %i positions', (length) => {
  expect(BitSet.full(length).size).toBe(length);
});
