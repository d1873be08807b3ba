import { expect, it } from 'vitest';
import { Turns } from './turns.js';

const forEver = new AbortController().signal;

it('lets so many in at a time, the others in the order of coming', async () => {
  const turns = new Turns(2);
  const [first, second] = [await turns.take(forEver), await turns.take(forEver)];
  const came: string[] = [];
  const third = turns.take(forEver).then((turn) => (came.push('third'), turn));
  const fourth = turns.take(forEver).then((turn) => (came.push('fourth'), turn));
  await Promise.resolve();
  expect([turns.waiting, came]).toEqual([2, []]);

  second[Symbol.dispose]();
  second[Symbol.dispose]();
  await third;
  expect([turns.waiting, came]).toEqual([1, ['third']]);
  first[Symbol.dispose]();
  await fourth;
  expect(came).toEqual(['third', 'fourth']);
});

it('forgets who is tired of waiting', async () => {
  const turns = new Turns(1);
  const first = await turns.take(forEver);
  const impatient = new AbortController();
  const waiting = turns.take(impatient.signal);
  impatient.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(turns.take(impatient.signal)).rejects.toThrow('enough');
  first[Symbol.dispose]();
  expect(turns.waiting).toBe(0);
  (await turns.take(forEver))[Symbol.dispose]();
});
