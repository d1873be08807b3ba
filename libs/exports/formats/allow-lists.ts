import { z } from 'zod';
import type { Rule } from '../rules.js';

const name = z.strictObject({ serverName: z.string().min(1) });
const url = z.strictObject({ serverUrl: z.string().regex(/^https?:\/\//) });
const command = z.strictObject({ serverCommand: z.array(z.string()).min(1) });

/** A list of rules as Copilot, Claude Code and VS Code read it: each has exactly one selector (2026-11-30). */
export const ruleList = z.array(z.union([name, url, command]));

/** The key of a URL for clients that compare URLs exactly. */
export const exactUrl = (text: string): string => text;

export function hasKind(rules: readonly Rule[], kind: 'serverUrl' | 'serverCommand' | 'serverName'): boolean {
  return rules.some((rule) => kind in rule);
}
