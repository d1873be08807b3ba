import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { checkJson, EVERY_PLACE, mcpServersFile, remoteServer, serversByKey, stdioServer } from './mcp-servers.js';
import type { McpServer } from './mcp-servers.js';

const family = mcpServersFile({
  syntax: { inputPlaces: EVERY_PLACE, placeholder: (name) => `\${env:${name}}` },
});

/** Cursor requires the type of servers that it starts, but no type for remotes. */
export const cursorFile = {
  ...family,
  stdio: (...given: Parameters<NonNullable<typeof family.stdio>>): McpServer => ({
    type: 'stdio',
    ...family.stdio!(...given),
  }),
};

export const cursor = defineExport({
  id: 'cursor',
  file: 'mcp.json',
  mediaType: 'application/json',
  purpose: 'client',
  client: 'Cursor',
  status: 'stable',
  verified: '2026-11-30',
  wherePut: 'The folder .cursor of a project, or of the home folder.',
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, cursorFile, check),
  check: checkJson(
    z.strictObject({
      mcpServers: serversByKey(z.union([stdioServer({ type: z.literal('stdio') }), remoteServer()])),
    }),
  ),
});
