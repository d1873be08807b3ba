import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import type { ClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { writeJson } from '../write/json.js';
import { checkJson, mcpServersFile, remoteServer, serversByKey, stdioServer } from './mcp-servers.js';
import type { McpServer } from './mcp-servers.js';

const family = mcpServersFile({
  // Gemini expands a bare $NAME as well.
  syntax: { expands: /\$/, inputPlaces: new Set(['env', 'headers'] as const), placeholder: (name) => `\${${name}}` },
});

/**
 * Gemini treats a remote without a type as SSE. It filters servers that are not in `mcp.allowed` by name only, which is
 * not a security boundary.
 */
const file: ClientFile<McpServer> = {
  ...family,
  remote: (call, context) => ({ ...family.remote!(call, context), type: call.transport }),
  write: (servers) =>
    writeJson({
      mcpServers: Object.fromEntries(servers.map(({ key, server }) => [key, server])),
      mcp: { allowed: servers.map(({ key }) => key) },
    }),
};

export const gemini = defineExport({
  id: 'gemini',
  file: 'settings.json',
  mediaType: 'application/json',
  purpose: 'client',
  client: 'Gemini CLI',
  status: 'preview',
  verified: '2026-11-30',
  wherePut: 'The folder .gemini of a project, or of the home folder.',
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, file, check),
  check: checkJson(
    z.strictObject({
      mcpServers: serversByKey(z.union([stdioServer(), remoteServer({ type: z.enum(['http', 'sse']) })])),
      mcp: z.strictObject({ allowed: z.array(z.string()) }),
    }),
  ),
});
