import fc from 'fast-check';
import { expect, it } from 'vitest';
import { writeAsciiJson, writeJson, writeJsonLines } from './json.js';

const plain = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);

it('writes any value so that it can be read back, with one line per entry', () => {
  fc.assert(
    fc.property(fc.array(plain), fc.nat(3), (entries, depth) => {
      const file = { version: '1', left: undefined, data: { entries } };
      const text = writeJsonLines(file, depth);
      const { left: _left, ...given } = file;
      expect(JSON.parse(text)).toEqual(given);
      const lines = [1, 4, 6, entries.length === 0 ? 6 : 7 + entries.length][depth];
      expect(text.trimEnd().split('\n')).toHaveLength(lines!);
    }),
  );
});

it('equals pretty-printed JSON if nothing is on a line of its own', () => {
  fc.assert(
    fc.property(fc.array(plain), (entries) => {
      expect(writeJsonLines({ entries }, 100)).toBe(writeJson({ entries }));
    }),
  );
});

it('writes any text in ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const written = writeAsciiJson({ text });
      expect(written).toMatch(/^[ -~]*$/);
      expect(JSON.parse(written)).toEqual({ text });
    }),
  );
});
