import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { byHand } from './by-hand.js';
import { checkJson, mcpServersFile, serversByKey, stdioServer } from './mcp-servers.js';

/**
 * The documentation shows this shape for local servers only. It does not say where the headers of remote servers go, so
 * remotes are left out.
 */
const file = mcpServersFile({ syntax: byHand(['env']), alwaysArgs: true, withoutRemotes: true });

export const jetbrains = defineExport({
  id: 'jetbrains',
  file: 'mcp.json',
  mediaType: 'application/json',
  purpose: 'client',
  client: 'JetBrains AI Assistant, Junie',
  status: 'preview',
  verified: '2026-11-30',
  wherePut:
    'Paste it into Settings, Tools, AI Assistant, Model Context Protocol; for Junie .junie/mcp/mcp.json of a project. Replace each <NAME> by hand.',
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, file, check),
  check: checkJson(z.strictObject({ mcpServers: serversByKey(stdioServer()) })),
});
