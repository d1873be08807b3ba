import { z } from 'zod';
import { defineExport } from '../export-format.js';
import { writeJson } from '../write/json.js';
import { byText, toEntryResult, waysOf } from '../ways.js';
import { checkJson } from './mcp-servers.js';

/** What toolhive-core's reader takes (its upstream-registry.schema.json, 2026-11-30). */
const SCHEMA =
  'https://raw.githubusercontent.com/stacklok/toolhive-core/main/registry/types/data/upstream-registry.schema.json';

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
    const sorted = entries.toSorted(byText(({ server }) => server.name));
    const text = writeJson({
      $schema: SCHEMA,
      version: '1.0.0',
      meta: { last_updated: new Date(changedAtMs).toISOString() },
      data: { servers: sorted.map(({ server }) => server) },
    });
    const results = sorted.map((entry) => {
      const ways = waysOf(entry).map(({ name }) => ({ way: name, status: 'exported' as const }));
      const { reason: _, ...result } = toEntryResult(entry, ways, { status: 'exported' });
      return result;
    });
    return { text, results, notes: [], faults: [] };
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
