import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { fixedText } from '../inputs.js';
import type { Value } from '../inputs.js';
import { Omitted } from '../omission.js';
import { writeToml } from '../write/toml.js';
import type { TomlValue } from '../write/toml.js';
import { checkToml } from './read-toml.js';

const exact = (value: string): TomlValue => ({ match: 'exact', value });

function fixed(value: Value, reason: 'variable-in-command' | 'variable-in-url'): string {
  const text = fixedText(value);
  if (text === undefined) throw new Omitted(reason);
  if (text.includes('$')) throw new Omitted(reason === 'variable-in-url' ? 'placeholder-in-url' : reason);
  return text;
}

const matcher = z.strictObject({ match: z.literal('exact'), value: z.string() });

/**
 * A plain string as `command` would be compared with the executable only and so allow every package, so it is never
 * written.
 */
const schema = z.strictObject({
  mcp_servers: z.record(
    z.string(),
    z.strictObject({
      identity: z.union([
        z.strictObject({ url: z.string().regex(/^https?:\/\//) }),
        z.strictObject({ command: z.strictObject({ executable: z.string().min(1), args: z.array(matcher) }) }),
      ]),
    }),
  ),
});

/**
 * The managed requirements of Codex, which rejects the file if a matcher has an unknown field (its source, mid-2026).
 */
export const codexRequirements = defineExport({
  id: 'codex-requirements',
  file: 'requirements.toml',
  mediaType: 'application/toml',
  purpose: 'policy',
  client: 'Codex',
  status: 'preview',
  verified: '2026-11-30',
  wherePut:
    'The managed requirements of Codex; users take the servers from the codex export, which has the same names.',
  emptyBlocksEverything: true,
  render: (entries, options, check) =>
    renderClientFile<{ readonly [key: string]: TomlValue }>(
      entries,
      options,
      {
        syntax: { inputPlaces: new Set(), placeholder: (name) => name },
        refuse: (way) => (way.kind === 'remote' && way.remote.type === 'sse' ? 'transport-unsupported' : undefined),
        stdio: ({ command, args }) => ({
          command: { executable: command, args: args.map((value) => exact(fixed(value, 'variable-in-command'))) },
        }),
        remote({ url }) {
          const text = fixed(url, 'variable-in-url');
          if (text.includes('*')) throw new Omitted('wildcard-in-url');
          return { url: text };
        },
        write: (servers) =>
          writeToml({
            mcp_servers: Object.fromEntries(servers.map(({ key, server }) => [key, { identity: server }])),
          }),
      },
      check,
    ),
  check: checkToml(schema),
});
