import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ServerDocument } from '#domain/server-document.js';
import { DEFAULT_OPTIONS } from '#exports/export-options.js';
import { findFormat } from '#exports/index.js';
import { randomEntries } from '#exports/testing/random-entries.js';
import { readCatalogue } from '#sources/formats/read-catalogue.js';
import { checkServerJson } from '#sources/formats/server-json.js';

const RUNS = { numRuns: Number(process.env['EXPORT_RUNS'] ?? 100) };

/** Whether a source would serve this server as it is: what no source admits is in no list, and in no export. */
function isServable(server: ServerDocument): boolean {
  try {
    checkServerJson(server);
    // Half of a surrogate pair is written as an escape, and no source admits it; NUL is no text that can be stored.
    return !/\\u(d[89a-f]|0000)/i.test(JSON.stringify(server));
  } catch {
    return false;
  }
}

it('the reader of the format upstream takes an exported file, and finds the very same servers', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'round-trip-'));
  const path = join(directory, 'registry.json');
  try {
    await fc.assert(
      fc.asyncProperty(randomEntries, async (all) => {
        const entries = all.filter(({ server }) => isServable(server));
        // A source refuses a file without servers, whose entries would all be removed.
        fc.pre(entries.length > 0);
        const { text } = findFormat('upstream')!.render(entries, { ...DEFAULT_OPTIONS, view: entries });
        await writeFile(path, text);
        const found: unknown[] = [];
        for await (const items of readCatalogue(path, 'upstream', { file: path, maxFileBytes: 64 * 1024 * 1024 })) {
          for (const item of items) found.push('entry' in item ? JSON.parse(item.entry.serverJson) : item);
        }
        const expected = entries.map(({ server }) => server).toSorted((a, b) => (a.name < b.name ? -1 : 1));
        expect(found).toEqual(expected.map((server) => expect.objectContaining(JSON.parse(JSON.stringify(server)))));
      }),
      RUNS,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
