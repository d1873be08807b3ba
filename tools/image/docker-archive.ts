import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { tarFiles } from './tar.js';

export interface Image {
  /** `name:tag` */
  readonly name: string;
  /** Tar files, the lowest one first. */
  readonly layers: readonly string[];
  /** `config` of the OCI image specification. */
  readonly config: object;
  /** Architecture in the spelling of Go, such as `amd64`. */
  readonly architecture: string;
}

/** Writes what `docker load`, `ctr images import` and `kind load image-archive` read. It appears whole or not at all. */
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

  // Beside the target, so that the last step is a rename.
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
