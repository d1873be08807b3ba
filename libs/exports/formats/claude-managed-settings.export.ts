import { z } from 'zod';
import { defineExport } from '../export-format.js';
import { toPolicy } from '../rules.js';
import type { RuleClient } from '../rules.js';
import type { Rule } from '../way-rules.js';
import { writeJson } from '../write/json.js';
import { claudeAllowList, exactUrl, hasKind, ruleList } from './allow-lists.js';
import { checkJson } from './mcp-servers.js';

const client: RuleClient = {
  urlKey: exactUrl,
  isRootUncertain: true,
  // A name in a list of allowed servers must not contain a slash.
  names: ({ shortName }) => (shortName === undefined ? [] : [shortName]),
};

/**
 * Rules that match nothing. If a list has name rules, a server of a kind without any rule could be allowed by its name
 * alone, so each kind gets such a rule.
 */
const NO_COMMAND: Rule = { serverCommand: ['mcp-registry-admits-no-command'] };
const NO_URL: Rule = { serverUrl: 'https://none.invalid/' };

function withSentinels(rules: readonly Rule[]): readonly Rule[] {
  if (!hasKind(rules, 'serverName')) return rules;
  return [
    ...rules,
    ...(hasKind(rules, 'serverCommand') ? [] : [NO_COMMAND]),
    ...(hasKind(rules, 'serverUrl') ? [] : [NO_URL]),
  ];
}

export const claudeManagedSettings = defineExport({
  id: 'claude-managed-settings',
  file: 'managed-settings.json',
  mediaType: 'application/json',
  purpose: 'policy',
  client: 'Claude Code',
  status: 'stable',
  verified: '2026-11-30',
  wherePut: 'The system folder of Claude Code, such as /etc/claude-code/, MDM, or server-managed settings.',
  emptyBlocksEverything: true,
  render(entries, options) {
    const { allowed, denied, results, faults } = toPolicy(entries, options, client);
    const text = writeJson({
      allowManagedMcpServersOnly: true,
      allowedMcpServers: withSentinels(allowed),
      ...(denied && { deniedMcpServers: denied }),
    });
    return { text, results, notes: [], faults };
  },
  check: checkJson(
    z.strictObject({
      allowManagedMcpServersOnly: z.literal(true),
      allowedMcpServers: claudeAllowList,
      deniedMcpServers: ruleList.optional(),
    }),
  ),
});
