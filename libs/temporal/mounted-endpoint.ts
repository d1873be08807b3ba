import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TemporalEndpoint } from './connect.js';

/** The keys of the Secret that contains the Temporal endpoint. */
export const ENDPOINT_KEYS = {
  address: 'address',
  namespace: 'namespace',
  apiKey: 'apiKey',
  serverName: 'serverName',
  ca: 'ca.crt',
  certificate: 'tls.crt',
  key: 'tls.key',
} as const satisfies Record<keyof TemporalEndpoint, string>;

/**
 * Reads the current content of the mounted Secret, which may be replaced while the process runs. Returns undefined if
 * it contains no address.
 */
export async function readMountedEndpoint(directory: string): Promise<TemporalEndpoint | undefined> {
  const texts = await Promise.all(
    Object.entries(ENDPOINT_KEYS).map(async ([field, key]) => [field, await readText(join(directory, key))] as const),
  );
  const endpoint: Partial<TemporalEndpoint> = Object.fromEntries(texts.filter(([, text]) => text));
  const { address, namespace = 'default' } = endpoint;
  return address === undefined ? undefined : { ...endpoint, address, namespace };
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
