import { shortened } from '#domain/shortened.js';
import { Problem } from './problem.js';

const SERVER_NAME = /^(?=.{3,200}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
/** Maximum characters of a name or version in a message. */
const SHOWN = 200;

/**
 * Explains why a server was not found. The status is always 404, even for an invalid name, because clients that check
 * whether a server is allowed treat any other status as an outage.
 */
export function missingServer(name: string): Problem {
  const hint = SERVER_NAME.test(name) ? '' : '; a server name has the form namespace/name, with the slash as %2F';
  return new Problem(404, `server "${shortened(name, SHOWN)}" is not in this registry${hint}`);
}

export function missingVersion(name: string, version: string): Problem {
  if (!SERVER_NAME.test(name)) return missingServer(name);
  return new Problem(404, `server "${name}" has no version "${shortened(version, SHOWN)}" in this registry`);
}
