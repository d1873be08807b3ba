import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { byHand } from './by-hand.js';
import { checkJson, mcpServersFile, remoteServer, serversByKey, stdioServer } from './mcp-servers.js';

export const lmStudioFile = mcpServersFile({ syntax: byHand(['env', 'headers']) });

export const lmStudio = defineExport({
  id: 'lmstudio',
  file: 'mcp.json',
  mediaType: 'application/json',
  purpose: 'client',
  client: 'LM Studio',
  status: 'preview',
  verified: '2026-11-30',
  wherePut: 'The folder .lmstudio of the home folder; replace each <NAME> by hand.',
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, lmStudioFile, check),
  check: checkJson(z.strictObject({ mcpServers: serversByKey(z.union([stdioServer(), remoteServer()])) })),
});
