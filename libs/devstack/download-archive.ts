import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Archive } from './official-archives.js';
import type { Progress } from './progress.js';
import { runCommand } from './run-command.js';

/** Without an answer for this long, or without a byte, the network counts as absent and the next way is taken. */
const silenceMs = 10_000;
/** Far above the real archives (some 100 MB); a wrong address must not fill the disk. */
const maxBytes = 500_000_000;

/**
 * Downloads an archive into `folder`, compares its checksum with the pinned one and unpacks the wanted executable.
 * Returns the executable's path. Whatever is not exactly the pinned archive is refused before it is unpacked.
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
  // o: as root, tar would give the file to the user id that packed it.
  await runCommand('tar', ['-xzof', file, '-C', folder, archive.member], { signal });
  return join(folder, archive.member);
}

/** Writes what `url` answers to `file` and returns its checksum in hex. */
async function download(url: string, file: string, algorithm: string, progress: Progress, signal: AbortSignal) {
  const silence = new AbortController();
  const watchdog = setTimeout(() => silence.abort(new Error(`no byte for ${silenceMs / 1000} s`)), silenceMs);
  try {
    progress.step(`asking for ${url}`);
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

/** fetch hides what happened ("getaddrinfo ENOTFOUND …") in the cause of "fetch failed". */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? cause.message : message;
}
