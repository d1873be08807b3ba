import { renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { mcpJson, mcpJsonFile } from './mcp-json.export.js';

export const claudeManagedMcp = defineExport({
  ...mcpJson,
  id: 'claude-managed-mcp',
  file: 'managed-mcp.json',
  purpose: 'policy',
  client: 'Claude Code',
  wherePut:
    'The system folder of Claude Code, such as /etc/claude-code/; with it users can add nothing. Entries with ${…} also need claude-managed-settings.',
  emptyBlocksEverything: true,
  render: (entries, options, check) => renderClientFile(entries, options, mcpJsonFile, check),
});
