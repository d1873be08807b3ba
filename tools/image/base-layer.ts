import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '#environment/project-root.js';
import { findOnPath } from '#devstack/find-on-path.js';
import { runCommand } from '#devstack/run-command.js';
import { tarWithOwners } from './tar.js';

const SUITE = 'bookworm';
/** The same packages as in `deploy/docker/Dockerfile`. */
const PACKAGES = ['ca-certificates', 'git', 'openssh-client', 'tini', 'libnss-wrapper'];

export const STRIP_SCRIPT = fileURLToPath(new URL('deploy/docker/strip-base.sh', projectRoot));

/** Checks the requirements for creating a Debian root file system without a Docker engine. Throws with the remedy. */
export async function demandDebootstrap(): Promise<void> {
  const missing = [
    ...(process.platform === 'linux' ? [] : ['Linux']),
    ...(process.getuid?.() === 0 ? [] : ['root, for chroot']),
    ...((await findOnPath('debootstrap')).length > 0
      ? []
      : ['debootstrap (on Debian and Ubuntu: apt-get install debootstrap)']),
  ];
  if (missing.length === 0) return;
  throw new Error(
    `an image without a docker engine needs ${missing.join(' and ')}. ` +
      'With an engine: docker build -f deploy/docker/Dockerfile -t mcp-registry-operator .',
  );
}

/** Creates the lowest layer in `folder`: Debian with git, ssh and certificates. Returns the path of its tar file. */
export async function makeBaseLayer(folder: string, signal: AbortSignal): Promise<string> {
  const root = join(folder, 'root');
  const include = `--include=${PACKAGES.join(',')}`;
  await runCommand('debootstrap', ['--variant=minbase', include, SUITE, root], { signal });
  await copyFile(STRIP_SCRIPT, join(root, 'strip-base.sh'));
  await runCommand('chroot', [root, '/bin/sh', '/strip-base.sh'], { signal });
  await rm(join(root, 'strip-base.sh'));
  const layer = join(folder, 'base.tar');
  await tarWithOwners(root, layer);
  await rm(root, { recursive: true, force: true });
  return layer;
}
