import { hash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerDocument } from '#domain/server-document.js';
import { DEFAULT_OPTIONS } from '#exports/export-options.js';
import { exportFormats } from '#exports/index.js';
import { shortNames } from '#exports/short-names.js';
import type { VisibleEntry } from '#exports/visible-entry.js';
import type { Bench } from './bench.js';
import { generateCatalogue } from './generate-catalogue.js';

const NAMES = 10_000;

/**
 * Measures the first rendering of every format, including its check, from entries in memory; later renderings come from
 * a cache. Reports the CPU time of one thread and its ratio to the time for writing the same entries as JSON, because a
 * busy machine slows down both alike.
 */
export const exportsBench: Bench = {
  name: 'exports',

  async run(names = String(NAMES)) {
    const entries = await readEntries(Number(names));
    const json = cpuMs(() => JSON.stringify(entries));
    const rows = exportFormats.map((format) => {
      let text = '';
      const before = process.memoryUsage().heapUsed;
      const ms = cpuMs(() => ({ text } = format.render(entries, { ...DEFAULT_OPTIONS, view: entries })));
      const grownMiB = Math.max(0, process.memoryUsage().heapUsed - before) / 2 ** 20;
      return [
        format.id,
        Math.round(ms),
        Math.round((ms / json) * 10) / 10,
        Math.round(grownMiB),
        Math.round((text.length / 2 ** 20) * 10) / 10,
      ];
    });
    return [
      {
        title: `Exports of ${entries.length} entries; as JSON they take ${Math.round(json)} ms`,
        head: ['format', 'CPU ms', 'of JSON', 'MiB grown', 'MiB of text'],
        rows,
      },
    ];
  },
};

async function readEntries(names: number): Promise<readonly VisibleEntry[]> {
  const directory = await mkdtemp(join(tmpdir(), 'exports-bench-'));
  try {
    const path = join(directory, 'catalogue.json');
    await generateCatalogue(path, { names });
    const file = JSON.parse(await readFile(path, 'utf8')) as { data: { servers: readonly ServerDocument[] } };
    const latest = new Map(file.data.servers.map((server) => [server.name, server]));
    const short = shortNames(latest.keys(), (text) => hash('sha256', text));
    return Array.from(latest.values(), (server) => ({ server, status: 'active', shortName: short.get(server.name) }));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Returns the CPU time that `work` takes on this thread. */
function cpuMs(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
