import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Archive } from './official-archives.js';
import type { Progress } from './progress.js';
import { runCommand } from './run-command.js';

/**
 * Maximum time without a response or data. After that, the network counts as unavailable and the next method is tried.
 */
const silenceMs = 10_000;
/** Maximum bytes of an archive, so that a wrong URL does not fill the disk. Real archives have some 100 MB. */
const maxBytes = 500_000_000;

/**
 * Downloads an archive into `folder`, verifies its pinned checksum and unpacks the executable. Returns the path of the
 * executable. Anything that differs from the pinned archive is rejected before it is unpacked.
 */
export async function downloadArchive(
  archive: Archive,
  site: string,
  folder: string,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<string> {
  const url = `${site}${archive.path}`;
  const file = join(folder, 'archive.tar.gz');
  const hex = await download(url, file, archive.checksum.algorithm, progress, signal);
  if (hex !== archive.checksum.hex) {
    throw new Error(
      `${url} refused: its ${archive.checksum.algorithm} is ${hex}, but ${archive.checksum.hex} is the one expected`,
    );
  }
  progress.step(`unpacking ${archive.member}`);
  // -o, because tar run by root would otherwise assign the file to the user id that packed it.
  await runCommand('tar', ['-xzof', file, '-C', folder, archive.member], { signal });
  return join(folder, archive.member);
}

/** Downloads `url` to `file` and returns the checksum in hex. */
async function download(url: string, file: string, algorithm: string, progress: Progress, signal: AbortSignal) {
  const silence = new AbortController();
  const watchdog = setTimeout(() => silence.abort(new Error(`no data for ${silenceMs / 1000} s`)), silenceMs);
  try {
    progress.step(`requesting ${url}`);
    const response = await fetch(url, { signal: AbortSignal.any([signal, silence.signal]) });
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);

    const totalBytes = Number(response.headers.get('content-length'));
    const hash = createHash(algorithm);
    let bytes = 0;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        watchdog.refresh();
        hash.update(chunk);
        bytes += chunk.length;
        progress.step(`downloading ${url}: ${megabytes(bytes)}${totalBytes ? ` of ${megabytes(totalBytes)}` : ''} MB`);
        done(bytes > maxBytes ? new Error(`more than ${megabytes(maxBytes)} MB`) : null, chunk);
      },
    });
    await pipeline(response.body, count, createWriteStream(file));
    return hash.digest('hex');
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${url}: ${reasonOf(silence.signal.reason ?? error)}`, { cause: error });
  } finally {
    clearTimeout(watchdog);
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

/** Returns the reason of a failed fetch. fetch hides it ("getaddrinfo ENOTFOUND …") in the cause of "fetch failed". */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? cause.message : message;
}
