import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { absoluteFile } from '#domain/spec-fields.js';
import { bundleLocal, copyBundle } from './files/local-files.js';
import type { LocalFiles } from './files/local-files.js';
import { isPattern } from './files/select-files.js';
import { didYouMean, nearNames } from './near-names.js';
import { copyFile, followLinks, hashFile } from './regular-file.js';
import type { RegularFile } from './regular-file.js';
import { defineSource } from './source.js';

const fileSpec = z
  .strictObject({
    path: absoluteFile.describe(
      'Path of the registry file in the file system of the server; or a folder or a pattern of files with one server each.',
    ),
  })
  .describe('A file in the file system of the server.');

type FileSpec = z.output<typeof fileSpec>;

/**
 * Reads a file that the operator of the server has provided. An MCPRegistry cannot use this source, because it does not
 * know the server's files.
 */
export const fileSource = defineSource<FileSpec>({
  block: 'file',
  view: { type: 'FILE', sourceType: 'file', address: 'address' },
  shape: 'file',
  hidesContent: true,
  spec: fileSpec,

  address: ({ path }) => path,

  async resolve(spec, context) {
    const files = await filesOf(spec);
    const revision = await (files ? bundleLocal(files, context) : hashFile(fileOf(spec), context));
    return { revision, label: `${spec.path}@${revision.slice(0, 16)}` };
  },

  async download(spec, { revision }, path, context) {
    const files = await filesOf(spec);
    const copy = { revision, to: path };
    await (files ? copyBundle(files, copy, context) : copyFile(fileOf(spec), copy, context));
  },
});

/** Returns the files of a folder or pattern, or undefined for a single file. */
async function filesOf({ path }: FileSpec): Promise<LocalFiles | undefined> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder && !isPattern(path)) return undefined;
  return { label: path, base: '/', path: path.slice(1), fileAt: (each) => fileOf({ path: `/${each}` }) };
}

/** Returns the file at a path. Symlinks are followed, because mounted ConfigMaps and Secrets consist of them. */
function fileOf({ path }: FileSpec): RegularFile {
  return {
    name: path,
    setting: 'file.path',
    locate: () => followLinks(path, path),
    async suggest() {
      const folder = dirname(path);
      const names = await readdir(folder).catch(() => []);
      return didYouMean(nearNames(basename(path), names).map((name) => join(folder, name)));
    },
  };
}
