import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A random prefix of request ids. It differs between processes, so that the logs of several replicas can be merged. */
const PREFIX = randomBytes(6).toString('base64url');

/**
 * A request id that a client or proxy may choose. Other values are rejected, because they would allow a client to
 * inject text into the log.
 */
const ACCEPTABLE = /^[\w.:-]{1,64}$/;

let count = 0;

/**
 * Returns the `X-Request-Id` of a request if it is acceptable, otherwise a new id. The id appears in the log and in
 * error responses.
 */
export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  if (typeof given === 'string' && ACCEPTABLE.test(given)) return given;
  return `${PREFIX}-${(++count).toString(36)}`;
}
