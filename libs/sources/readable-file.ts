import { readFile, realpath } from 'node:fs/promises';
import { normalize } from 'node:path/posix';

/** The credentials of a pod in Kubernetes: its token, and the certificate authority of the API server. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
export const SERVICE_ACCOUNT_TOKEN = `${SERVICE_ACCOUNT}/token`;
export const SERVICE_ACCOUNT_CA = `${SERVICE_ACCOUNT}/ca.crt`;

/** Where the operator mounts the Secrets and ConfigMaps that a spec refers to. */
const REFERENCE_MOUNTS = ['/secrets', '/config/certs'];

/** What belongs to the server itself, wherever a link leads: its access to Temporal and Postgres, its cache, its process. */
const PROTECTED = [
  '/temporal',
  '/proc',
  '/sys',
  '/dev',
  '/data/cache',
  '/home/appuser',
  ...['/run', '/var/run'].flatMap((run) =>
    ['kubernetes.io', 'eks.amazonaws.com', 'azure'].map((issuer) => `${run}/secrets/${issuer}`),
  ),
];

/** The file that a tenant names would show what is not the tenant's. */
export class UnreadableFile extends Error {
  readonly code = 'EACCES';
}

/**
 * Reports whether an MCPRegistry may name this file: below the mounts of what it refers to or below `mounts`, which are those of
 * its own volumes, and never among the server's own credentials.
 */
export function isReadableFile(path: string, mounts: readonly string[]): boolean {
  return !isProtected(path) && [...REFERENCE_MOUNTS, ...mounts].some((mount) => isBelow(path, mount));
}

/**
 * Reads a file that a spec names. Links are followed first, since a volume of the tenant may hold one that leads out of it.
 * `granted` names the files of the service account that this field may name. Throws an error with a `code`.
 */
export async function readNamedFile(path: string, granted: readonly string[] = []): Promise<string> {
  if (granted.includes(path)) return readFile(path, 'utf8');
  const target = await realpath(path);
  if (isProtected(path) || isProtected(target)) throw new UnreadableFile(`${path} belongs to the server itself`);
  return readFile(target, 'utf8');
}

function isProtected(path: string): boolean {
  return PROTECTED.some((folder) => normalize(path) === folder || isBelow(path, folder));
}

/** Dot segments are resolved, so that none climbs out of the folder. */
function isBelow(path: string, folder: string): boolean {
  return normalize(path).startsWith(`${normalize(folder).replace(/\/$/, '')}/`);
}
