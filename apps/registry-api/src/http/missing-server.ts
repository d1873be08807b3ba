import { shortened } from '#domain/shortened.js';
import { Problem } from './problem.js';

const SERVER_NAME = /^(?=.{3,200}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
/** Characters of a name or version in a message. */
const SHOWN = 200;

/**
 * Explains why a server was not found. Always 404, also for what cannot be a name: clients that ask whether a server is
 * allowed take any other status for an outage.
 */
export function missingServer(name: string): Problem {
  const hint = SERVER_NAME.test(name) ? '' : '; a server name has the form namespace/name, with the slash as %2F';
  return new Problem(404, `server "${shortened(name, SHOWN)}" is not in this registry${hint}`);
}

export function missingVersion(name: string, version: string): Problem {
  if (!SERVER_NAME.test(name)) return missingServer(name);
  return new Problem(404, `server "${name}" has no version "${shortened(version, SHOWN)}" in this registry`);
}
