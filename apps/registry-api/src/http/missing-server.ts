import { Problem } from './problem.js';

const SERVER_NAME = /^(?=.{3,200}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/**
 * Why a server was not found: 400 for what cannot be a name, else 404. Looked at only after the search, so that whatever
 * a list shows can be asked for.
 */
export function missingServer(name: string): Problem {
  return SERVER_NAME.test(name)
    ? new Problem(404, `server "${name}" is not in this registry`)
    : new Problem(400, 'a server name has the form namespace/name, with the slash as %2F');
}

export function missingVersion(name: string, version: string): Problem {
  if (!SERVER_NAME.test(name)) return missingServer(name);
  return /^[^\s\p{Cc}]+$/u.test(version)
    ? new Problem(404, `server "${name}" has no version "${version}" in this registry`)
    : new Problem(400, 'a version must not be empty or hold white space');
}
