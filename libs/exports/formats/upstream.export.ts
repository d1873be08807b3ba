import { z } from 'zod';
import { EntryFaults } from '../entry-faults.js';
import { defineExport } from '../export-format.js';
import type { EntryResult } from '../entry-result.js';
import type { VisibleEntry } from '../visible-entry.js';
import { writeJsonLines } from '../write/json.js';
import { byText, toEntryResult, waysOf } from '../ways.js';
import { checkJson } from './mcp-servers.js';

/** The format that toolhive-core's reader accepts (its upstream-registry.schema.json, 2026-11-30). */
const SCHEMA =
  'https://raw.githubusercontent.com/stacklok/toolhive-core/main/registry/types/data/upstream-registry.schema.json';

const DEPTH_OF_SERVERS = 3;

export const upstream = defineExport({
  id: 'upstream',
  file: 'registry.json',
  mediaType: 'application/json',
  purpose: 'registry',
  client: 'thv, other registries',
  status: 'stable',
  verified: '2026-11-30',
  wherePut: 'thv config set-registry with this address, which has to end in .json: exports/upstream.json.',
  emptyBlocksEverything: false,
  render(entries, { changedAtMs }) {
    const faults = new EntryFaults();
    const servers: VisibleEntry['server'][] = [];
    const results = entries.toSorted(byText(({ server }) => server.name)).map((entry): EntryResult => {
      const ways = faults.guard(entry, () =>
        waysOf(entry).map(({ name }) => ({ way: name, status: 'exported' as const })),
      );
      if (!ways) return toEntryResult(entry, [], { reason: 'internal' });
      servers.push(entry.server);
      const { reason: _, ...result } = toEntryResult(entry, ways, { status: 'exported' });
      return result;
    });
    const file = {
      $schema: SCHEMA,
      version: '1.0.0',
      meta: { last_updated: new Date(changedAtMs).toISOString() },
      data: { servers },
    };
    const text = writeJsonLines(file, DEPTH_OF_SERVERS);
    return { text, results, notes: [], faults: faults.all };
  },
  check: checkJson(
    z.strictObject({
      $schema: z.string(),
      version: z.literal('1.0.0'),
      meta: z.strictObject({ last_updated: z.iso.datetime() }),
      data: z.strictObject({
        servers: z.array(z.looseObject({ name: z.string().min(1), version: z.string().min(1) })),
      }),
    }),
  ),
});
