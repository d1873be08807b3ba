import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Differs between processes, so that the logs of several replicas can be merged. */
const PREFIX = randomBytes(6).toString('base64url');

/** A request id that a client or proxy may choose; anything else would let it write into the log. */
const ACCEPTABLE = /^[\w.:-]{1,64}$/;

let count = 0;

/** Returns the `X-Request-Id` of a request where it is acceptable, else a new id. It is in the log and in error answers. */
export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  if (typeof given === 'string' && ACCEPTABLE.test(given)) return given;
  return `${PREFIX}-${(++count).toString(36)}`;
}
