import { expect, it } from 'vitest';
import { Semaphore } from './semaphore.js';

const never = new AbortController().signal;

it('admits at most its limit, and waiters first in, first out', async () => {
  const semaphore = new Semaphore(2);
  const [first, second] = [await semaphore.acquire(never), await semaphore.acquire(never)];
  const came: string[] = [];
  const third = semaphore.acquire(never).then((permit) => (came.push('third'), permit));
  const fourth = semaphore.acquire(never).then((permit) => (came.push('fourth'), permit));
  await Promise.resolve();
  expect(came).toEqual([]);

  second[Symbol.dispose]();
  second[Symbol.dispose]();
  await third;
  expect(came).toEqual(['third']);
  first[Symbol.dispose]();
  await fourth;
  expect(came).toEqual(['third', 'fourth']);
});

it('removes a waiter whose signal fires', async () => {
  const semaphore = new Semaphore(1);
  const first = await semaphore.acquire(never);
  const impatient = new AbortController();
  const waiting = semaphore.acquire(impatient.signal);
  impatient.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(semaphore.acquire(impatient.signal)).rejects.toThrow('enough');
  first[Symbol.dispose]();
  (await semaphore.acquire(never))[Symbol.dispose]();
});
