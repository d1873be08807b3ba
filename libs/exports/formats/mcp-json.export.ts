import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { checkJson, EVERY_PLACE, mcpServersFile, remoteServer, serversByKey, stdioServer } from './mcp-servers.js';

export const mcpJsonFile = mcpServersFile({
  // Copilot CLI expands a bare $NAME as well (VS Code's port of its resolver, 2026).
  syntax: { expands: /\$[A-Za-z_{]/, inputPlaces: EVERY_PLACE, placeholder: (name) => `\${${name}}` },
  isTyped: true,
});

/** The format of `.mcp.json` (Claude Code's documentation and VS Code's source, autumn 2026). */
export const mcpJsonSchema = z.strictObject({
  mcpServers: serversByKey(
    z.union([stdioServer({ type: z.literal('stdio') }), remoteServer({ type: z.enum(['http', 'sse']) })]),
  ),
});

export const mcpJson = defineExport({
  id: 'mcp-json',
  file: '.mcp.json',
  mediaType: 'application/json',
  purpose: 'client',
  client: 'Claude Code, Copilot CLI, VS Code',
  status: 'stable',
  verified: '2026-11-30',
  wherePut: 'The root of a project; for Copilot also .github/mcp.json and its user file.',
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, mcpJsonFile, check),
  check: checkJson(mcpJsonSchema),
});
