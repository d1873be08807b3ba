import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Encoding } from '../compressor.js';
import { sharedBody } from '../response-memory.js';

/** A file of the console, in every encoding in which it is sent. */
export interface ConsoleFile {
  readonly contentType: string;
  /** Hash of the content, for an ETag. */
  readonly hash: string;
  /** Whether the name contains a hash of the content. */
  readonly isHashed: boolean;
  readonly bodies: Readonly<Record<Encoding, Buffer>>;
}

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.svg': 'image/svg+xml',
    '.png': 'image/png',
    '.ico': 'image/x-icon',
    '.txt': 'text/plain; charset=utf-8',
  }),
);

/** Matches names that the build gives to files, such as `main-B3xY_9aZ.js`. */
const HASHED_NAME = /-[\w-]{8}\.[a-z]+$/;

const compressors = {
  gzip: promisify(gzip) as (bytes: Buffer, options: object) => Promise<Buffer>,
  br: promisify(brotliCompress) as (bytes: Buffer, options: object) => Promise<Buffer>,
};

/** The built console in memory: the page and the files that it refers to. Empty if the console has not been built. */
export class ConsoleFiles {
  private constructor(
    readonly page: ConsoleFile | undefined,
    private readonly assets: ReadonlyMap<string, ConsoleFile>,
  ) {}

  /** Reads a build: `index.html`, and the assets in the folder `console` next to it. */
  static async load(directory: string): Promise<ConsoleFiles> {
    const page = await readIfPresent(join(directory, 'index.html'));
    if (!page) return new ConsoleFiles(undefined, new Map());
    const folder = join(directory, 'console');
    const names = (await readdir(folder)).filter((name) => CONTENT_TYPES.has(extname(name)));
    const assets = names.map(
      async (name) => [name, await toConsoleFile(name, await readFile(join(folder, name)))] as const,
    );
    return new ConsoleFiles(await toConsoleFile('index.html', page), new Map(await Promise.all(assets)));
  }

  find(name: string): ConsoleFile | undefined {
    return this.assets.get(name);
  }
}

async function readIfPresent(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function toConsoleFile(name: string, content: Buffer): Promise<ConsoleFile> {
  const [br, zipped] = await Promise.all([
    compressors.br(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }),
    compressors.gzip(content, { level: constants.Z_BEST_COMPRESSION }),
  ]);
  return {
    contentType: CONTENT_TYPES.get(extname(name)) as string,
    hash: hash('sha256', content, 'base64url').slice(0, 22),
    isHashed: HASHED_NAME.test(name),
    bodies: { identity: sharedBody(content), gzip: sharedBody(zipped), br: sharedBody(br) },
  };
}
