import { expect, it } from 'vitest';
import { compareCodePoints } from './code-point-order.js';

it('compares strings by their UTF-8 bytes', () => {
  const texts = [
    '',
    'a',
    'A',
    'ab',
    'a/b',
    'a.b',
    'é',
    'e\u0301',
    '\ud7ff',
    '\ue000',
    '\uff5e',
    '😀',
    '😁',
    'a😀',
    'a\uff5e',
    '\u{10ffff}',
  ];
  for (const a of texts) {
    for (const b of texts) {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      expect({ a, b, order: Math.sign(compareCodePoints(a, b)) }).toEqual({ a, b, order: bytes });
    }
  }
});
