import { z } from 'zod';
import { defineExport } from '../export-format.js';
import { toPolicy } from '../rules.js';
import type { RuleClient } from '../rules.js';
import type { Rule } from '../way-rules.js';
import { writeJson } from '../write/json.js';
import { exactUrl, ruleList } from './allow-lists.js';
import { checkJson } from './mcp-servers.js';

const client: RuleClient = {
  urlKey: exactUrl,
  names: ({ server, shortName }) => [server.name, ...(shortName === undefined ? [] : [shortName])],
};

const list = z.union([ruleList, z.strictObject({ overridable: ruleList })]);

export const copilotManagedSettings = defineExport({
  id: 'copilot-managed-settings',
  file: 'managed-settings.json',
  mediaType: 'application/json',
  purpose: 'policy',
  client: 'Copilot CLI, VS Code, JetBrains',
  status: 'stable',
  verified: '2026-11-30',
  wherePut: "copilot/managed-settings.json in the enterprise's .github-private, MDM, or /etc/github-copilot/ on Linux.",
  emptyBlocksEverything: true,
  render(entries, options) {
    const { allowed, denied, results, faults } = toPolicy(entries, options, client);
    const inForce = (rules: readonly Rule[]) => (options.overridable ? { overridable: rules } : rules);
    const text = writeJson({
      allowedMcpServers: inForce(allowed),
      ...(denied && { deniedMcpServers: inForce(denied) }),
    });
    return { text, results, notes: [], faults };
  },
  check: checkJson(z.strictObject({ allowedMcpServers: list, deniedMcpServers: list.optional() })),
});
