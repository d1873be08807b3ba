import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { BodiesBusy, BodySlots } from './body-slots.js';

/** A message whose body is being read until it is closed. */
class Message extends EventEmitter {
  isDestroyed = false;

  destroy(): void {
    this.isDestroyed = true;
    this.emit('close');
  }
}

const message = () => new Message() as Message & IncomingMessage;

it('rejects a body while others have just begun, and aborts the oldest one later, so that slow clients keep nobody out', () => {
  let nowMs = 0;
  const slots = new BodySlots(2, () => nowMs);
  const [first, second, third, fourth] = [message(), message(), message(), message()] as const;
  slots.take(first);
  nowMs = 500;
  slots.take(second);
  expect(() => slots.take(third)).toThrow(BodiesBusy);
  nowMs = 1_000;
  slots.take(third);
  expect([first.isDestroyed, second.isDestroyed]).toEqual([true, false]);
  expect(() => slots.take(fourth)).toThrow(BodiesBusy);
  second.emit('close');
  slots.take(fourth);
  expect([second, third, fourth].map(({ isDestroyed }) => isDestroyed)).toEqual([false, false, false]);
});
