import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { absoluteFile } from '#domain/spec-fields.js';
import { didYouMean, nearNames } from './near-names.js';
import { copyFile, hashFile } from './regular-file.js';
import type { RegularFile } from './regular-file.js';
import { defineSource } from './source.js';

const fileSpec = z
  .strictObject({
    path: absoluteFile.describe('The registry file, as the server sees it.'),
  })
  .describe('A file in the file system of the server.');

type FileSpec = z.output<typeof fileSpec>;

/** Reads a file that the operator of the server has put there. No MCPRegistry can name one: it does not know the server's files. */
export const fileSource = defineSource<FileSpec>({
  block: 'file',
  view: { type: 'FILE', sourceType: 'file', address: 'address' },
  shape: 'file',
  hidesContent: true,
  spec: fileSpec,

  address: ({ path }) => path,

  async resolve(spec, context) {
    const revision = await hashFile(fileOf(spec), context);
    return { revision, label: `${spec.path}@${revision.slice(0, 16)}` };
  },

  download: (spec, { revision }, path, context) => copyFile(fileOf(spec), { revision, to: path }, context),
});

/** Links are followed: mounted ConfigMaps and Secrets consist of them. */
function fileOf({ path }: FileSpec): RegularFile {
  return {
    name: path,
    setting: 'file.path',
    locate: () => realpath(path),
    async suggest() {
      const folder = dirname(path);
      const names = await readdir(folder).catch(() => []);
      return didYouMean(nearNames(basename(path), names).map((name) => join(folder, name)));
    },
  };
}
