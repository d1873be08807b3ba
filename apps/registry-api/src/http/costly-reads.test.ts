import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { API_LIMITS } from '../limits.js';
import { CostlyReads, ReadsBusy } from './costly-reads.js';

const { concurrent, admitted } = API_LIMITS.costlyReads;

/** A response whose client is connected until it is closed. */
class Response extends EventEmitter {
  closed = false;
}

const connected = () => new Response() as Response & ServerResponse;

it('runs a few at a time, in order, lets a number wait, and rejects more', async () => {
  const reads = new CostlyReads();
  const begun: number[] = [];
  const ends = Array.from({ length: admitted }, () => Promise.withResolvers<number>());
  const running = ends.map(({ promise }, number) =>
    reads.run(connected(), () => {
      begun.push(number);
      return promise;
    }),
  );
  await expect.poll(() => begun.length).toBe(concurrent);
  await expect(reads.run(connected(), () => 0)).rejects.toThrow(ReadsBusy);
  ends.forEach(({ resolve }, number) => resolve(number));
  const numbers = Array.from({ length: admitted }, (_, number) => number);
  expect(await Promise.all(running)).toEqual(numbers);
  expect(begun).toEqual(numbers);
  expect(await reads.run(connected(), () => 'again')).toBe('again');
});

it('does not begin the work of a client that has gone, and frees its place', async () => {
  const reads = new CostlyReads();
  const gone = connected();
  const running = reads.run(gone, () => expect.unreachable());
  gone.closed = true;
  await expect(running).rejects.toThrow(ReadsBusy);
  await expect(reads.run(connected(), () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await reads.run(connected(), () => 1)).toBe(1);
});
