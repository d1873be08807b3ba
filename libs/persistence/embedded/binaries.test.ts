import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { placeBinaries } from './binaries.js';
import { findPostgresPackage } from './postgres-package.js';
import type { PostgresPackage } from './postgres-package.js';
import { runAs } from './run-as.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'binaries-'));
});

afterEach(() => rm(directory, { recursive: true }));

/** Returns the package as npm unpacks it without running its install script: without symlinks. */
async function unpackedOnly(): Promise<PostgresPackage> {
  const installed = await findPostgresPackage();
  const native = join(directory, 'native');
  await cp(installed.native, native, { recursive: true });
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  for (const { target } of links) await rm(join(directory, target), { force: true });
  return { ...installed, native };
}

it('uses the programs where npm installed them', async () => {
  const installed = await findPostgresPackage();
  const { postgres } = await placeBinaries(installed, directory, undefined);
  expect(postgres).toBe(join(installed.native, 'bin', 'postgres'));
  expect(await readdir(directory)).toEqual([]);
});

it('makes one copy, with symlinks, if the install script was blocked', async () => {
  const unpacked = await unpackedOnly();
  const { postgres, initdb } = await placeBinaries(unpacked, directory, undefined);
  expect(postgres).toBe(join(directory, `postgres-binaries-${unpacked.version}`, 'bin', 'postgres'));
  await runAs(undefined, initdb, ['--version']);

  const { ino } = await stat(postgres);
  await placeBinaries(unpacked, directory, undefined);
  expect((await stat(postgres)).ino).toBe(ino);
});

it('reports what to do if the programs do not run', async () => {
  const native = join(directory, 'native');
  const broken = { native, version: '18.4.0', major: '18' };
  for (const part of ['bin', 'lib', 'share']) await mkdir(join(native, part), { recursive: true });
  await writeFile(join(native, 'bin', 'initdb'), 'not a program', { mode: 0o755 });
  await expect(placeBinaries(broken, directory, undefined)).rejects.toThrow(
    /^The packaged Postgres does not run here .*: set DATABASE_URL to a Postgres server$/s,
  );
});

it('reports what to do on a platform without a package', async () => {
  await expect(findPostgresPackage('plan9-mips')).rejects.toThrow(
    'There is no packaged Postgres for plan9-mips: set DATABASE_URL to a Postgres server',
  );
});
