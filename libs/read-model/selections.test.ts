import { expect, it } from 'vitest';
import { EMPTY_LAYOUT } from './layout.js';
import { READ_MODEL_LIMITS } from './limits.js';
import { Selections } from './selections.js';

it('counts the characters of filters, which clients choose, to the memory of its cache', () => {
  const selections = new Selections(EMPTY_LAYOUT, new Map());
  const filterOf = (number: number) => ({ search: `${number}`.padEnd(10_000, 'x') });
  const fitting = Math.floor(READ_MODEL_LIMITS.keptPositions / JSON.stringify(filterOf(0)).length);
  for (let number = 0; number < fitting + 5; number++) selections.of(filterOf(number));
  const kept = Array.from({ length: fitting + 5 }, (_, number) => selections.has(filterOf(number)));
  expect(kept.filter(Boolean)).toHaveLength(fitting);
  expect(kept.slice(5)).not.toContain(false);
});
