import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { z } from 'zod';
import { RegistryError } from '#domain/registry-error.js';
import { cataloguePath, objectName } from '#domain/spec-fields.js';
import { bundleLocal, copyBundle } from './files/local-files.js';
import type { LocalFiles } from './files/local-files.js';
import { isPattern } from './files/select-files.js';
import { didYouMean, nearNames } from './near-names.js';
import { copyFile, followLinks, hashFile } from './regular-file.js';
import type { RegularFile } from './regular-file.js';
import { defineSource } from './source.js';
import type { SourceContext } from './context.js';

const pvcSpec = z
  .strictObject({
    claimName: objectName.describe('claimName is the name of the PersistentVolumeClaim.'),
    path: cataloguePath
      .default('registry.json')
      .describe(
        'path is the path of the registry file, relative to the root of the volume; or that of a folder, or a pattern such as servers/*/server.json, of files with one server each.',
      ),
  })
  .describe('pvcRef reads a file or a folder on a PersistentVolumeClaim in the same namespace.');

type PvcSpec = z.output<typeof pvcSpec>;

/** Reads a file, or a folder of files with one server each, from a mounted volume. */
export const pvcSource = defineSource<PvcSpec>({
  block: 'pvcRef',
  view: { type: 'FILE', sourceType: 'file', address: 'address' },
  shape: 'file',
  hidesContent: true,
  spec: pvcSpec,

  address: ({ claimName, path }) => `PersistentVolumeClaim ${claimName}, ${path}`,

  mount: ({ claimName, path }) => ({ claim: claimName, file: path }),

  async resolve(spec, context) {
    const catalogue = await catalogueOf(spec, context);
    const revision = await ('base' in catalogue ? bundleLocal(catalogue, context) : hashFile(catalogue, context));
    return { revision, label: `${spec.path}@${revision.slice(0, 16)}` };
  },

  async download(spec, { revision }, path, context) {
    const catalogue = await catalogueOf(spec, context);
    const copy = { revision, to: path };
    await ('base' in catalogue ? copyBundle(catalogue, copy, context) : copyFile(catalogue, copy, context));
  },
});

function absence(claimName: string, directory: string | undefined): string {
  if (directory !== undefined) return `is expected in ${directory}, which does not exist: create that directory`;
  const remedy = 'create the claim in the same namespace; it is mounted when the pod starts';
  return `is not mounted: ${remedy}; without a cluster give --volume ${claimName}=DIR`;
}

/** Returns the file, or the files, that the path selects. Throws a RegistryError `PVCNotFound`. */
async function catalogueOf(spec: PvcSpec, { settings }: SourceContext): Promise<RegularFile | LocalFiles> {
  const { claimName, path } = spec;
  const directory = settings.volumes.get(claimName);
  const root = directory && (await realpath(directory).catch(() => undefined));
  if (root === undefined) {
    throw new RegistryError('PVCNotFound', `PersistentVolumeClaim ${claimName} ${absence(claimName, directory)}.`);
  }
  if (!isPattern(path) && !(await isFolder(join(root, path)))) return fileOf(spec, root);
  const label = `${path} on PersistentVolumeClaim ${claimName}`;
  return { label, base: root, path, fileAt: (each) => fileOf({ claimName, path: each }, root) };
}

/** Returns a file. Its real path must be within the volume. */
function fileOf({ claimName, path }: PvcSpec, root: string): RegularFile {
  const name = `${path} on PersistentVolumeClaim ${claimName}`;
  return {
    name,
    setting: 'pvcRef.path',
    async locate() {
      const real = await followLinks(join(root, path), name);
      if (isInside(root, real)) return real;
      const message = `${name} is a link that leads out of the volume: replace it with the file itself.`;
      throw new RegistryError('FileNotFound', message);
    },
    suggest: async () => didYouMean(await nearFiles(path, root)),
  };
}

/**
 * Returns files with similar names. Lists only the folder in which the file should be and the root, because a volume
 * may be too large to be searched.
 */
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

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function isInside(root: string, real: string): boolean {
  return relative(root, real).split(sep)[0] !== '..';
}
