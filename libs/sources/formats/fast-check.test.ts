import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fastCheck } from './fast-check.js';

const even = z.number().refine((value) => value % 2 === 0, 'must be even');

describe('fastCheck', () => {
  it('returns a valid value unchanged', () => {
    const value = { name: 'a', more: [1] };
    expect(fastCheck(z.looseObject({ name: z.string() }))(value)).toBe(value);
  });

  it('reports errors in the words of zod', () => {
    const check = fastCheck(z.object({ even: even.register(z.globalRegistry, { multipleOf: 2 }) }));
    expect(check({ even: 4 })).toEqual({ even: 4 });
    expect(() => check({ even: 3 })).toThrow(expect.objectContaining({ path: 'even', message: 'must be even' }));
  });

  it('uses zod for values for which its counterpart is too strict', () => {
    const check = fastCheck(
      z.array(
        z
          .number()
          .refine((value) => value > 0)
          .register(z.globalRegistry, { minimum: 9 }),
      ),
    );
    expect(check([1, 20])).toEqual([1, 20]);
  });

  it('rejects a schema with a refinement that has no counterpart', () => {
    const odd = z.number().refine((value) => value % 2 === 1, 'must be odd');
    expect(() => fastCheck(z.object({ list: z.array(odd) }))({ list: [] })).toThrow(/properties\.list\.items/);
  });
});
