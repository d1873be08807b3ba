import { z } from 'zod';
import { defineExport } from '../export-format.js';
import { toPolicy } from '../rules.js';
import type { RuleClient } from '../rules.js';
import { writeJson } from '../write/json.js';
import { ruleList } from './allow-lists.js';
import { checkJson } from './mcp-servers.js';

/** VS Code compares URLs case-insensitively. */
const client: RuleClient = {
  urlKey: (url) => url.toLowerCase(),
  names: ({ server, shortName }) => [server.name, ...(shortName === undefined ? [] : [shortName])],
};

export const vscodePolicy = defineExport({
  id: 'vscode-policy',
  file: 'vscode-mcp-policy.json',
  mediaType: 'application/json',
  purpose: 'policy',
  client: 'VS Code',
  status: 'stable',
  verified: '2026-11-30',
  wherePut:
    'MDM, or /etc/vscode/policy.json, from VS Code 1.130 on; elsewhere each list is a string that contains this JSON.',
  emptyBlocksEverything: true,
  render(entries, options) {
    const { allowed, denied, results, faults } = toPolicy(entries, options, client);
    const text = writeJson({ ChatAllowedMcpServers: allowed, ...(denied && { ChatDeniedMcpServers: denied }) });
    return { text, results, notes: [], faults };
  },
  check: checkJson(z.strictObject({ ChatAllowedMcpServers: ruleList, ChatDeniedMcpServers: ruleList.optional() })),
});
