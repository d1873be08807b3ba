import { describe, expect, it } from 'vitest';
import { ANSWER_BYTES } from './http-transport.js';
import { PageSize } from './page-size.js';

const MIB = 1024 * 1024;

describe('the size of a page', () => {
  it('follows the size of the objects, and grows gradually', () => {
    const size = new PageSize();
    const limits = [size.limit];
    for (let page = 0; page < 3; page++) {
      size.noteRead(size.limit * 1_000, size.limit);
      limits.push(size.limit);
    }
    expect(limits).toEqual([100, 400, 500, 500]);
    size.noteRead(500 * 64 * 1024, 500);
    expect(size.limit).toBe(64);
  });

  it('aims at half of the maximum', () => {
    const size = new PageSize();
    size.noteRead(100 * 1.25 * MIB, 100);
    expect(size.limit * 1.25 * MIB).toBeLessThanOrEqual(size.maxBytes / 2);
  });

  it('decreases to one object of any size, and then fails', () => {
    const size = new PageSize();
    while (size.limit > 1) expect(size.reduce()).toBe(true);
    expect(size.maxBytes).toBe(ANSWER_BYTES);
    expect(size.reduce()).toBe(false);
    size.noteRead(20 * MIB, 1);
    expect(size.limit).toBe(1);
    size.noteRead(1_000, 1);
    expect(size.limit).toBe(4);
  });

  it('does not change after an empty page', () => {
    const size = new PageSize();
    size.noteRead(200, 0);
    expect(size.limit).toBe(100);
  });
});
