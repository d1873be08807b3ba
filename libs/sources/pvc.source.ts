import { lstat, readdir, realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { z } from 'zod';
import { RegistryError } from '#domain/registry-error.js';
import { jsonFilePath, objectName } from '#domain/spec-fields.js';
import { didYouMean, nearNames } from './near-names.js';
import { copyFile, hashFile } from './regular-file.js';
import type { RegularFile } from './regular-file.js';
import { defineSource } from './source.js';
import type { SourceContext } from './context.js';

const pvcSpec = z
  .strictObject({
    claimName: objectName.describe('claimName is the name of the PersistentVolumeClaim.'),
    path: jsonFilePath
      .default('registry.json')
      .describe('path is the path of the registry file, relative to the root of the volume.'),
  })
  .describe('pvcRef reads a file on a PersistentVolumeClaim in the same namespace.');

type PvcSpec = z.output<typeof pvcSpec>;

/** Reads a file from a mounted volume. */
export const pvcSource = defineSource<PvcSpec>({
  block: 'pvcRef',
  view: { type: 'FILE', sourceType: 'file', address: 'address' },
  shape: 'file',
  hidesContent: true,
  spec: pvcSpec,

  address: ({ claimName, path }) => `PersistentVolumeClaim ${claimName}, ${path}`,

  mount: ({ claimName, path }) => ({ claim: claimName, file: path }),

  async resolve(spec, context) {
    const revision = await hashFile(await fileOf(spec, context), context);
    return { revision, label: `${spec.path}@${revision.slice(0, 16)}` };
  },

  async download(spec, { revision }, path, context) {
    await copyFile(await fileOf(spec, context), { revision, to: path }, context);
  },
});

function absence(claimName: string, directory: string | undefined): string {
  if (directory !== undefined) return `is to be in ${directory}, which does not exist: create that directory`;
  const remedy = 'create the claim in the same namespace, and it is mounted when the pod starts';
  return `is not mounted: ${remedy}; without a cluster give --volume ${claimName}=DIR`;
}

/** A file that really lies in the volume. */
async function fileOf({ claimName, path }: PvcSpec, { settings }: SourceContext): Promise<RegularFile> {
  const directory = settings.volumes.get(claimName);
  const root = directory && (await realpath(directory).catch(() => undefined));
  if (root === undefined) {
    throw new RegistryError('PVCNotFound', `PersistentVolumeClaim ${claimName} ${absence(claimName, directory)}.`);
  }
  const name = `${path} on PersistentVolumeClaim ${claimName}`;
  const deadLink = () =>
    new RegistryError('FileNotFound', `${name} is a link that leads nowhere: put the file itself there.`);
  return {
    name,
    setting: 'pvcRef.path',
    async locate() {
      const real = await realpath(join(root, path)).catch(async (error: unknown) => {
        throw (await isLink(join(root, path))) ? deadLink() : error;
      });
      if (isInside(root, real)) return real;
      const message = `${name} is a link that leads out of the volume: put the file itself there.`;
      throw new RegistryError('FileNotFound', message);
    },
    suggest: async () => didYouMean(await nearFiles(path, root)),
  };
}

/** Lists the folder where the file should be, and the root; a volume may be too large to be searched. */
async function nearFiles(path: string, root: string): Promise<string[]> {
  const folders = [...new Set([dirname(path), '.'])];
  const listings = await Promise.all(
    folders.map(async (folder) => {
      const real = await realpath(join(root, folder)).catch(() => undefined);
      const names = real && isInside(root, real) ? await readdir(real).catch(() => []) : [];
      return names.map((name) => join(folder, name));
    }),
  );
  return nearNames(
    path,
    listings.flat().filter((name) => name.endsWith('.json')),
  );
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
}

function isInside(root: string, real: string): boolean {
  return relative(root, real).split(sep)[0] !== '..';
}
