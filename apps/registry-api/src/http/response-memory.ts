import type { ServerResponse } from 'node:http';
import type { ByteBudget } from '../byte-budget.js';

/** A response with fewer bytes takes less memory than the connection that it is sent over, so it is not counted. */
export const FREE_BYTES = 16 * 1024;

const HELD = Symbol('memory of a response that is accounted for');

type AccountedResponse = ServerResponse & { [HELD]?: true };

/** Bodies that all responses share, such as files of the console. */
const shared = new WeakSet<Buffer>();

/** Marks a body that is in memory anyway, so that the responses that send it are not charged for it. */
export function sharedBody(body: Buffer): Buffer {
  shared.add(body);
  return body;
}

/** Calls back when the response has been sent or its client is gone. */
export function onceClosed(response: ServerResponse, callback: () => void): void {
  if (response.closed) callback();
  else response.once('close', callback);
}

/**
 * Releases the memory that was reserved for a response when it has been sent or its client is gone. Without `release`,
 * its body takes no memory of its own.
 */
export function holdUntilClosed(
  response: AccountedResponse,
  release: (() => void) | undefined,
  memory: ByteBudget,
): void {
  response[HELD] = true;
  if (!release) return;
  const untrack = memory.track(response);
  onceClosed(response, () => {
    untrack();
    release();
  });
}

/**
 * Reserves the memory of a body until it has been sent, unless that was done before or the body is shared. A client that
 * reads slowly decides how long that takes. Throws `Overloaded` if not enough is free.
 */
export function chargeBody(response: AccountedResponse, body: unknown, memory: ByteBudget): void {
  if (response[HELD] || !(typeof body === 'string' || Buffer.isBuffer(body))) return;
  if (typeof body !== 'string' && shared.has(body)) return;
  const bytes = Buffer.byteLength(body);
  if (bytes > FREE_BYTES) holdUntilClosed(response, memory.acquire(bytes), memory);
}
