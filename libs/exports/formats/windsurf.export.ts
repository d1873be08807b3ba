import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { checkJson, EVERY_PLACE, mcpServersFile, remoteServer, serversByKey, stdioServer } from './mcp-servers.js';

const file = mcpServersFile({
  syntax: { inputPlaces: EVERY_PLACE, placeholder: (name) => `\${env:${name}}` },
  alwaysArgs: true,
  urlKey: 'serverUrl',
});

export const windsurf = defineExport({
  id: 'windsurf',
  file: 'mcp_config.json',
  mediaType: 'application/json',
  purpose: 'client',
  client: 'Windsurf',
  status: 'preview',
  verified: '2026-11-30',
  wherePut: 'The folder .codeium/windsurf of the home folder; Windsurf supports at most 100 tools in total.',
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, file, check),
  check: checkJson(
    z.strictObject({ mcpServers: serversByKey(z.union([stdioServer(), remoteServer({}, 'serverUrl')])) }),
  ),
});
