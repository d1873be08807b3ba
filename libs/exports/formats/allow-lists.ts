import { z } from 'zod';
import type { Rule } from '../way-rules.js';

const url = z.strictObject({ serverUrl: z.string().regex(/^https?:\/\//) });
const command = z.strictObject({ serverCommand: z.array(z.string()).min(1) });

/**
 * A list of rules in the format of Copilot, Claude Code and VS Code, in which each rule has exactly one selector
 * (2026-11-30).
 */
const rules = (name: z.ZodString) => z.array(z.union([command, url, z.strictObject({ serverName: name })]));

export const ruleList = rules(z.string().min(1));

/**
 * The allow list of Claude Code (its JSON schema of 2026), in which a name must be one that Claude Code can give to a
 * server. Its deny list accepts any string.
 */
export const claudeAllowList = rules(z.string().regex(/^[a-zA-Z0-9_-]+$/));

/** Returns the key of a URL for clients that compare URLs exactly. */
export const exactUrl = (text: string): string => text;

export function hasKind(rules: readonly Rule[], kind: 'serverUrl' | 'serverCommand' | 'serverName'): boolean {
  return rules.some((rule) => kind in rule);
}
