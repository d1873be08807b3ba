import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listServers, manifestOf, mcpRegistry, StandalonePlace } from '#support/standalone-process.js';

const MIB = 1024 * 1024;
/**
 * The maximum size of a file: each entry is within its limit, but all together exceed what a process of 512 MiB can
 * keep.
 */
const HUGE_ENTRIES = 256;
const HUGE_CHARACTERS = 1_000_000;
/** Time limit for the import, on cores that other tests use as well. */
const IMPORT_MS = 240_000;

async function writeCatalogue(path: string): Promise<void> {
  await using file = await open(path, 'w');
  await file.write('{"version":"1.0.0","meta":{"last_updated":"2026-01-01T00:00:00Z"},"data":{"servers":[');
  for (let number = 0; number < HUGE_ENTRIES; number++) {
    // Words that occur only once, so that an index would be larger than the text.
    const words = Array.from({ length: HUGE_CHARACTERS / 8 }, (_, at) =>
      (number * 131_072 + at).toString(36).padStart(7),
    );
    const description = words.join(' ').slice(0, HUGE_CHARACTERS);
    await file.write(`${JSON.stringify({ name: `io.huge/n${number}`, version: '1.0.0', description })},`);
  }
  await file.write('{"name":"io.small/one","version":"1.0.0","description":"Short"}]}}');
}

it('quarantines descriptions that are too long to be kept in memory, and serves the rest within its memory', async () => {
  const source = { name: 'huge', pvcRef: { claimName: 'data', path: 'huge.json' }, format: 'upstream' };
  await using place = await StandalonePlace.create({ manifest: manifestOf(mcpRegistry('texts', [source])) });
  const volume = join(place.directory, 'volume');
  await mkdir(volume);
  await writeCatalogue(join(volume, 'huge.json'));
  const running = place.start({
    args: [place.manifest, '--volume', `data=${volume}`],
    env: { NODE_OPTIONS: '--max-old-space-size=160' },
  });
  await running.ready();
  await expect
    .poll(async () => (await listServers(place.url))?.map(({ name }) => name), { timeout: IMPORT_MS })
    .toEqual(['io.small/one']);
  const response = await fetch(`${place.url}/v1/sources/huge/quarantine?limit=1000`);
  const { quarantine } = (await response.json()) as { quarantine: { key: string; path: string; message: string }[] };
  expect(quarantine.length).toBe(HUGE_ENTRIES);
  expect(quarantine[0]).toMatchObject({ path: 'description', message: expect.stringMatching(/shorten it/) as unknown });
  const status = await readFile(`/proc/${running.pid}/status`, 'utf8');
  const peakKiB = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
  expect(peakKiB * 1024).toBeLessThan(512 * MIB);
  await running.stop();
}, 300_000);
