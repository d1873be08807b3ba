import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { ByteBudget } from '../byte-budget.js';
import { chargeBody, FREE_BYTES, sharedBody } from './response-memory.js';

/** A response that is being sent until it is closed. */
class Response extends EventEmitter {
  closed = false;

  destroy(): void {
    this.closed = true;
    this.emit('close');
  }
}

const response = () => new Response() as Response & ServerResponse;

it('counts a body once, until its response is closed, unless it is small or shared', () => {
  const budget = new ByteBudget(100_000);
  const [one, other] = [response(), response()];
  const body = Buffer.alloc(40_000);
  for (let time = 0; time < 3; time++) chargeBody(one, body, budget);
  chargeBody(other, 'é'.repeat(20_000), budget);
  chargeBody(response(), Buffer.alloc(FREE_BYTES), budget);
  chargeBody(response(), sharedBody(Buffer.alloc(50_000)), budget);
  chargeBody(response(), undefined, budget);
  expect(budget.usedBytes).toBe(80_000);
  one.destroy();
  other.destroy();
  expect(budget.usedBytes).toBe(0);
});

it('lets a client that reads slowly keep nobody out', () => {
  let nowMs = 0;
  const budget = new ByteBudget(100_000, () => nowMs);
  const slow = response();
  chargeBody(slow, Buffer.alloc(90_000), budget);
  const next = () => chargeBody(response(), Buffer.alloc(90_000), budget);
  expect(next).toThrow('memory');
  expect(slow.closed).toBe(false);
  nowMs = 30_000;
  expect(next).toThrow('memory');
  expect(slow.closed).toBe(true);
  expect(next).not.toThrow();
});
