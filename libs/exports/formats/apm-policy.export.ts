import { z } from 'zod';
import { EntryFaults } from '../entry-faults.js';
import { defineExport } from '../export-format.js';
import type { EntryResult } from '../entry-result.js';
import { demandVisible } from '../characters.js';
import { byText, demandWanted, toEntryResult, tryWay, waysOf } from '../ways.js';
import { readYaml, writeYaml } from '../write/yaml.js';

const patterns = z.array(z.string().min(1));

/** The experimental schema of apm (0.28). */
const schema = z.strictObject({
  name: z.string().min(1),
  version: z.literal('1.0.0'),
  enforcement: z.literal('block'),
  mcp: z.strictObject({
    allow: patterns,
    deny: patterns.optional(),
    transport: z.strictObject({ allow: patterns }).optional(),
    self_defined: z.literal('deny'),
  }),
});

export const apmPolicy = defineExport({
  id: 'apm-policy',
  file: 'apm-policy.yml',
  mediaType: 'application/yaml',
  purpose: 'policy',
  client: 'apm',
  status: 'preview',
  verified: '2026-11-30',
  wherePut: 'The policy of an organisation for apm; it names servers, not their versions or commands.',
  emptyBlocksEverything: true,
  render(entries, options) {
    const sorted = entries.toSorted(byText(({ server }) => server.name));
    const faults = new EntryFaults();
    const results = sorted.map((entry): EntryResult => {
      const ways = faults.guard(entry, () =>
        waysOf(entry).map((way) => tryWay(way, () => demandWanted(way, options)).result),
      );
      if (!ways) return toEntryResult(entry, [], { reason: 'internal' });
      return ways.length === 0 ? toEntryResult(entry, ways, { status: 'exported' }) : toEntryResult(entry, ways);
    });
    const allow = results.filter(({ status }) => status === 'exported').map(({ name }) => name);
    const { denied, transports } = options;
    const text = writeYaml({
      name: demandVisible(options.registry),
      version: '1.0.0',
      enforcement: 'block',
      mcp: {
        allow,
        ...(denied && {
          deny: [...new Set(Iterator.from(denied).map(({ server }) => server.name))].toSorted(),
        }),
        ...(transports && { transport: { allow: [...transports].toSorted() } }),
        self_defined: 'deny',
      },
    });
    const withoutReason = results.map((result) => {
      if (result.status === 'omitted' || result.ways.length > 0) return result;
      const { reason: _, ...rest } = result;
      return rest;
    });
    return { text, results: withoutReason, notes: ['admits-more-than-entry'], faults: faults.all };
  },
  check: (text) => void schema.parse(readYaml(text)),
});
