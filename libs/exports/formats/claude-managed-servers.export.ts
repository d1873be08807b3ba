import { z } from 'zod';
import { present, renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { inputsOf } from '../inputs.js';
import { Omitted } from '../omission.js';
import { writeJson } from '../write/json.js';
import { checkJson, serversByKey } from './mcp-servers.js';

const HTTPS_SERVER = z.strictObject({
  type: z.enum(['http', 'sse']),
  url: z.string().regex(/^https:\/\//),
  headers: z.record(z.string(), z.string().regex(/^(?:(?!\$\{).)*$/)).optional(),
});

export const claudeManagedServers = defineExport({
  id: 'claude-managed-servers',
  file: 'managed-settings.json',
  mediaType: 'application/json',
  purpose: 'policy',
  client: 'Claude Code',
  status: 'stable',
  verified: '2026-11-30',
  wherePut: 'The managed settings of Claude Code, from 2.1.259 on; remote servers that every user gets.',
  emptyBlocksEverything: false,
  render: (entries, options, check) =>
    renderClientFile(
      entries,
      options,
      {
        syntax: { inputPlaces: new Set(), placeholder: (name) => name },
        remote({ url, transport, headers }, { writer }) {
          if (inputsOf(url).length > 0) throw new Omitted('variable-in-url');
          const text = writer.write(url, 'url') as string;
          if (!text.startsWith('https://')) throw new Omitted('insecure-url');
          return { type: transport, url: text, ...present({ headers: writer.map(headers, 'headers') }) };
        },
        write: (servers) =>
          writeJson({ managedMcpServers: Object.fromEntries(servers.map(({ key, server }) => [key, server])) }),
      },
      check,
    ),
  check: checkJson(z.strictObject({ managedMcpServers: serversByKey(HTTPS_SERVER) })),
});
