import { expect, it } from 'vitest';
import { SlabWriter } from './slab-writer.js';

it('places pieces next to each other in blocks, and never splits one', () => {
  const writer = new SlabWriter();
  const pieces = Array.from({ length: 300 }, (_, number) => Buffer.alloc(1000 + number * 97, number));
  const places = pieces.map((piece) => ({ block: writer.reserve(piece.length), start: writer.put(piece) }));
  writer.overwrite(places[7]?.block as number, places[7]?.start as number, Buffer.from('new'));
  const blocks = writer.finish();
  pieces[7]?.write('new');
  for (const [number, piece] of pieces.entries()) {
    const { block, start } = places[number] as { block: number; start: number };
    expect(blocks[block]?.subarray(start, start + piece.length).equals(piece)).toBe(true);
  }
  expect(writer.bytes).toBe(pieces.reduce((sum, { length }) => sum + length, 0));
});
