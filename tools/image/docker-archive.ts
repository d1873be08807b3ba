import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { tarFiles } from './tar.js';

export interface Image {
  /** `name:tag` */
  readonly name: string;
  /** Paths of the tar files, lowest layer first. */
  readonly layers: readonly string[];
  /** The `config` object of the OCI image specification. */
  readonly config: object;
  /** Architecture as Go spells it, such as `amd64`. */
  readonly architecture: string;
}

/**
 * Writes an archive for `docker load`, `ctr images import` and `kind load image-archive`. The file is written
 * atomically.
 */
export async function writeDockerArchive(out: string, { name, layers, config, architecture }: Image): Promise<void> {
  const digests = await Promise.all(layers.map(sha256));
  const image = JSON.stringify({
    architecture,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: digests.map((digest) => `sha256:${digest}`) },
  });
  const configName = `${createHash('sha256').update(image).digest('hex')}.json`;
  const members = digests.map((digest) => `${digest}.tar`);
  const manifest = JSON.stringify([{ Config: configName, RepoTags: [name], Layers: members }]);

  // A temporary folder beside the target, so that the last step is a rename.
  const folder = await mkdtemp(join(dirname(resolve(out)), '.image-'));
  try {
    await writeFile(join(folder, configName), image);
    await writeFile(join(folder, 'manifest.json'), manifest);
    await Promise.all(members.map((member, at) => symlink(resolve(layers[at] as string), join(folder, member))));
    const archive = join(folder, 'archive.tar');
    await tarFiles(folder, ['manifest.json', configName, ...members], archive);
    await rename(archive, out);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sha256(path: string): Promise<string> {
  const sum = createHash('sha256');
  await pipeline(createReadStream(path), sum);
  return sum.digest('hex');
}
