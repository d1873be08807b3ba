import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Of this process: the logs of several replicas come together. */
const PREFIX = randomBytes(6).toString('base64url');

/** What a client or a proxy may call a request; anything else would be a way to write into the log. */
const SANE = /^[\w.:-]{1,64}$/;

let count = 0;

/** Names a request in the log, and in the answer when something was wrong: as who sent it names it, if he does. */
export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  if (typeof given === 'string' && SANE.test(given)) return given;
  return `${PREFIX}-${(++count).toString(36)}`;
}
