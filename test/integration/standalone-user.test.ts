import { chmod, chown, copyFile, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { toolhiveCatalogue } from '#support/catalogues.js';
import {
  canStartAs,
  configMap,
  configMapSource,
  listServers,
  manifestOf,
  mcpRegistry,
  NOBODY,
  StandalonePlace,
} from '#support/standalone-process.js';

const manifest = manifestOf(mcpRegistry('team', [configMapSource('cm')]), configMap('cm', toolhiveCatalogue(3)));

it.skipIf(!canStartAs(NOBODY))('runs as an ordinary user (needs root, who becomes nobody)', async () => {
  await using place = await StandalonePlace.create({ manifest });
  await chown(place.directory, NOBODY.uid, NOBODY.gid);
  // Copy the program, because other users may not have access to its folder.
  const temporal = join(place.directory, 'temporal');
  await copyFile(inject('temporalBinary'), temporal);
  await chmod(temporal, 0o755);
  const running = place.start({ user: NOBODY, env: { DEVSTACK_TEMPORAL: temporal } });
  await running.ready();
  await expect.poll(() => listServers(place.url)).toHaveLength(3);
  // Some processes exit in the meantime.
  const ownerOf = async (pid: number) => (await lstat(`/proc/${pid}`).catch(() => undefined))?.uid ?? [];
  const owners = await Promise.all((await place.processes()).map(ownerOf));
  expect(new Set(owners.flat())).toEqual(new Set([NOBODY.uid]));
  expect(await running.stop()).toEqual({ code: 130, signal: null });
  await expect.poll(() => place.commands()).toEqual([]);
});

it.skipIf(process.getuid?.() !== 0)(
  'runs as root in a folder that is closed to everyone else (needs root)',
  async () => {
    await using place = await StandalonePlace.create({ manifest, mode: 0o700 });
    const running = place.start({ env: { TEMPORAL_ADDRESS: inject('temporalAddress') } });
    await running.ready();
    await expect.poll(() => listServers(place.url)).toHaveLength(3);
    expect((await lstat(join(place.data, 'postgres-18'))).isSymbolicLink()).toBe(true);
    expect(await running.stop()).toEqual({ code: 130, signal: null });
    await expect.poll(() => place.commands()).toEqual([]);
  },
);
