import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { Omitted } from '../omission.js';
import { inputsOf } from '../inputs.js';
import { writeJson } from '../write/json.js';
import { checkJson, serversByKey } from './mcp-servers.js';

const PATTERN = z.strictObject({ url: z.string().regex(/^https?:\/\//), type: z.enum(['http', 'sse']) });

export const geminiAllowlist = defineExport({
  id: 'gemini-allowlist',
  file: 'gemini-mcp-allowlist.json',
  mediaType: 'application/json',
  purpose: 'policy',
  client: 'Gemini CLI',
  status: 'preview',
  verified: '2026-11-30',
  wherePut: 'The administration console; servers are matched by their short names.',
  // An empty object would mean "no restriction".
  emptyBlocksEverything: null,
  render: (entries, options, check) =>
    renderClientFile(
      entries,
      options,
      {
        syntax: { inputPlaces: new Set(), placeholder: (name) => name },
        remote({ url, transport }, { writer }) {
          if (inputsOf(url).length > 0) throw new Omitted('variable-in-url');
          const text = writer.write(url, 'url') as string;
          if (text.includes('$')) throw new Omitted('placeholder-in-url');
          if (text.includes('*')) throw new Omitted('wildcard-in-url');
          return { url: text, type: transport };
        },
        write: (servers) =>
          writeJson({ mcpServers: Object.fromEntries(servers.map(({ key, server }) => [key, server])) }),
      },
      check,
    ),
  check: checkJson(z.strictObject({ mcpServers: serversByKey(PATTERN) })),
});
