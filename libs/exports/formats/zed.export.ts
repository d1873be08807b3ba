import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { byHand } from './by-hand.js';
import { checkJson, mcpServersFile, remoteServer, serversByKey, stdioServer } from './mcp-servers.js';

const file = mcpServersFile({
  syntax: byHand(['env', 'headers']),
  root: 'context_servers',
  alwaysArgs: true,
  refuse: (way) => (way.kind === 'remote' && way.remote.type === 'sse' ? 'transport-unsupported' : undefined),
});

export const zed = defineExport({
  id: 'zed',
  file: 'settings.json',
  mediaType: 'application/json',
  purpose: 'client',
  client: 'Zed',
  status: 'preview',
  verified: '2026-11-30',
  wherePut: 'Merge it into the settings of Zed; replace each <NAME> by hand.',
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, file, check),
  check: checkJson(z.strictObject({ context_servers: serversByKey(z.union([stdioServer(), remoteServer()])) })),
});
