import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { byHand } from './by-hand.js';
import { checkJson, mcpServersFile, serversByKey, stdioServer } from './mcp-servers.js';

const file = mcpServersFile({ syntax: byHand(['env']), alwaysArgs: true, withoutRemotes: true });

export const claudeDesktop = defineExport({
  id: 'claude-desktop',
  file: 'claude_desktop_config.json',
  mediaType: 'application/json',
  purpose: 'client',
  client: 'Claude Desktop',
  status: 'preview',
  verified: '2026-11-30',
  wherePut: "The application's own folder; replace each <NAME> by hand.",
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, file, check),
  check: checkJson(z.strictObject({ mcpServers: serversByKey(stdioServer()) })),
});
