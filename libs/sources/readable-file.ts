import { readFile, realpath } from 'node:fs/promises';
import { normalize } from 'node:path/posix';

/** The credentials of a pod in Kubernetes: its token, and the certificate authority of the API server. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
export const SERVICE_ACCOUNT_TOKEN = `${SERVICE_ACCOUNT}/token`;
export const SERVICE_ACCOUNT_CA = `${SERVICE_ACCOUNT}/ca.crt`;

/** Folders in which the operator mounts the Secrets and ConfigMaps that a spec refers to. */
const REFERENCE_MOUNTS = ['/secrets', '/config/certs'];

/**
 * Paths that belong to the server itself, even if reached through a symlink: its access to Temporal and Postgres, its
 * cache and its process.
 */
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

/** Thrown if a tenant's spec refers to a file that does not belong to the tenant. */
export class UnreadableFile extends Error {
  readonly code = 'EACCES';
}

/**
 * Returns whether an MCPRegistry may refer to this file. It must be below the mounts of the objects that the spec
 * refers to, or below `mounts`, which are those of the registry's own volumes. The server's own credentials are always
 * excluded.
 */
export function isReadableFile(path: string, mounts: readonly string[]): boolean {
  return !isProtected(path) && [...REFERENCE_MOUNTS, ...mounts].some((mount) => isBelow(path, mount));
}

/**
 * Reads a file that a spec refers to. Symlinks are resolved before the check, because a volume of the tenant may
 * contain one that leads out of it. `granted` lists the files of the service account that this field may refer to.
 * Throws an error with a `code`.
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

/** Returns whether a path is below a folder. Dot segments are resolved, so that none leads out of the folder. */
function isBelow(path: string, folder: string): boolean {
  return normalize(path).startsWith(`${normalize(folder).replace(/\/$/, '')}/`);
}
