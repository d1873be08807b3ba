import { chmod, copyFile, cp, lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '#environment/project-root.js';
import { findOnPath } from '#devstack/find-on-path.js';
import { runCommand } from '#devstack/run-command.js';
import { placeBinaries } from '#persistence/embedded/binaries.js';
import { initializeDataFolder } from '#persistence/embedded/data-folder.js';
import { findPostgresPackage } from '#persistence/embedded/postgres-package.js';
import { chooseServerUser, give } from '#persistence/embedded/server-user.js';
import { BUNDLERS, isNeeded, productionPackages } from './image-modules.js';

const ROOT = fileURLToPath(projectRoot);
/** Temporal's names for the platforms for which images are made. */
const BRIDGES: Readonly<Record<string, string>> = {
  x64: 'x86_64-unknown-linux-gnu',
  arm64: 'aarch64-unknown-linux-gnu',
};

/**
 * Writes the files that change with the dependencies below `root`: Node, the packages, and a data folder for the
 * embedded Postgres.
 */
export async function layOutRuntime(root: string, signal: AbortSignal): Promise<void> {
  const [bin, modules] = [join(root, 'usr/local/bin'), join(root, 'app/node_modules')];
  for (const folder of [bin, modules, join(root, 'opt')]) await mkdir(folder, { recursive: true });
  await copyFile(process.execPath, join(bin, 'node'));
  await chmod(join(bin, 'node'), 0o755);
  await copyPackages(modules);
  await writeSbom(join(root, 'usr/share/sbom/npm.cdx.json'), signal);
  await makeTemplate(join(root, 'opt/postgres-template.tar.gz'), signal);
  await stripBinaries(root, signal);
}

async function copyPackages(modules: string): Promise<void> {
  const bridge = BRIDGES[process.arch];
  if (!bridge) throw new Error(`there is no image for ${process.arch}: only for ${Object.keys(BRIDGES).join(' and ')}`);
  for (const folder of await productionPackages(join(ROOT, 'package-lock.json'))) {
    const from = join(ROOT, folder);
    // The lock file also lists packages for other platforms, which are not installed here.
    if (!(await lstat(from).catch(() => undefined))) continue;
    const place = /^.*node_modules\//.exec(folder)?.[0] ?? '';
    await cp(from, join(modules, relative('node_modules', folder)), {
      recursive: true,
      verbatimSymlinks: true,
      // Nested packages have their own entries in the lock file.
      filter: async (path) => {
        const inside = relative(from, path);
        if (inside === 'node_modules' || inside.startsWith('node_modules/')) return false;
        const name = relative(join(ROOT, place), path);
        return isNeeded((await lstat(path)).isDirectory() ? `${name}/` : name, bridge);
      },
    });
  }
  for (const name of BUNDLERS) {
    await mkdir(join(modules, name), { recursive: true });
    await writeFile(join(modules, name, 'index.js'), '// Workflows were bundled when the image was made.\n');
  }
}

/**
 * Writes a CycloneDX list of the packages in the image. It depends only on the lock file, so that the same inputs
 * produce the same layer.
 */
async function writeSbom(target: string, signal: AbortSignal): Promise<void> {
  const bill = JSON.parse(await runCommand('npm', ['run', '--silent', 'sbom'], { signal, cwd: ROOT })) as {
    serialNumber?: string;
    metadata: { timestamp?: string };
  };
  delete bill.serialNumber;
  delete bill.metadata.timestamp;
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, JSON.stringify(bill));
}

/**
 * Creates the data folder at build time, because `initdb` refuses a user id without a name, and clusters assign
 * arbitrary ids.
 */
async function makeTemplate(target: string, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'postgres-template-'));
  try {
    await chmod(folder, 0o755);
    const data = join(folder, 'data');
    const user = await chooseServerUser(data);
    await mkdir(data, { mode: 0o700 });
    await give(data, user);
    const { initdb } = await placeBinaries(await findPostgresPackage(), folder, user);
    await initializeDataFolder({ folder: data, initdb, user, durable: false });
    // Unpacking takes slightly longer than copying, but makes the image 35 MB smaller.
    await runCommand('tar', ['-czf', target, '-C', data, '.'], { signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes debug symbols. Without `strip`, the image works just as well but is larger. */
async function stripBinaries(root: string, signal: AbortSignal): Promise<void> {
  const [strip] = await findOnPath('strip');
  if (!strip) return;
  const all = await readdir(root, { recursive: true, withFileTypes: true });
  const binaries = all.filter(({ name, parentPath }) => /\.(node|so[.\d]*)$/.test(name) || parentPath.endsWith('/bin'));
  for (const { parentPath, name } of binaries.filter((entry) => entry.isFile())) {
    // Scripts and other files that `strip` does not support are left unchanged.
    await runCommand(strip, ['--strip-unneeded', join(parentPath, name)], { signal }).catch(() => undefined);
  }
}
