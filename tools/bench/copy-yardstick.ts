import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Client } from '#persistence/client.js';
import { withClient } from '#persistence/database-client.js';
import type { DatabaseAccess } from '#persistence/database-place.js';

const ROUNDS = 3;

/** The minimum time in seconds of a binary COPY including its commit. */
export interface CopySeconds {
  /** Time for a table with the indexes of `entry`. */
  readonly indexed: number;
  /** Time for a table without any indexes. */
  readonly bare: number;
}

/**
 * Measures how long this machine takes to copy the current rows of table `entry` to an empty table with the same
 * columns, which is the lower limit for an import. The bytes are prepared in memory, in a separate process, so that the
 * bench does not measure that process.
 */
export async function secondsToCopy(database: DatabaseAccess): Promise<CopySeconds> {
  const child = fork(import.meta.filename);
  child.send(database);
  const [seconds] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`copying ended with code ${String(code)}`))),
  ])) as [CopySeconds];
  return seconds;
}

async function measure(database: DatabaseAccess): Promise<CopySeconds> {
  return withClient(database, async (client) => {
    const rows = await readRows(client);
    const [indexed, bare]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      indexed.push(await timeCopy(client, 'INCLUDING ALL', rows));
      bare.push(await timeCopy(client, 'INCLUDING STORAGE', rows));
    }
    return { indexed: Math.min(...indexed), bare: Math.min(...bare) };
  });
}

async function readRows(client: Client): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = [];
  const source = client.query(copyTo('COPY entry TO STDOUT (FORMAT binary)'));
  for await (const chunk of source) chunks.push(chunk as Buffer);
  // Chunks of the same size as those of the importer.
  const all = Buffer.concat(chunks);
  const size = 64 * 1024;
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.subarray(at * size, (at + 1) * size));
}

async function timeCopy(client: Client, including: string, rows: readonly Buffer[]): Promise<number> {
  await client.query(`CREATE TABLE copied (LIKE entry ${including}) WITH (toast_tuple_target = 8160)`);
  const startedAt = performance.now();
  await client.query('BEGIN');
  await pipeline(Readable.from(rows), client.query(copyFrom('COPY copied FROM STDIN (FORMAT binary)')));
  await client.query('COMMIT');
  const seconds = (performance.now() - startedAt) / 1000;
  await client.query('DROP TABLE copied');
  return seconds;
}

if (import.meta.main) {
  process.once('message', (database) => {
    void measure(database as DatabaseAccess).then((seconds) => process.send?.(seconds, () => process.disconnect()));
  });
}
