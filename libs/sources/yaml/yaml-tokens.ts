import { Parser } from 'yaml';
import type { CST, LineCounter } from 'yaml';

/** The tokens of a text, or the offsets of its errors. */
export type YamlTokens =
  { readonly tokens: readonly CST.Token[] } | { readonly errors: readonly number[] } | { readonly tooDeepAt: number };

export interface TokenLimits {
  /** Maximum nesting depth of lists and objects. */
  readonly depth: number;
  /** Maximum number of syntax errors between documents, which the parser would otherwise collect without limit. */
  readonly errors: number;
}

/**
 * Reads the tokens of a text, and stops when a limit is exceeded. Composing values from tokens is recursive, so a text
 * that is nested too deeply would exhaust the stack, and V8 terminates the process if it has to compile a regular
 * expression at that moment.
 */
export function readTokens(text: string, lines: LineCounter, limits: TokenLimits): YamlTokens {
  const tokens: CST.Token[] = [];
  const errors: number[] = [];
  for (const token of new Parser(lines.addNewLine).parse(text)) {
    if (token.type === 'error' && errors.push(token.offset) >= limits.errors) return { errors };
    const tooDeepAt = token.type === 'document' ? findTooDeep(token.value, limits.depth) : undefined;
    if (tooDeepAt !== undefined) return { tooDeepAt };
    tokens.push(token);
  }
  return { tokens };
}

/** Returns the offset of the first collection that it finds below a depth, without recursion. */
function findTooDeep(root: CST.Token | undefined, limit: number): number | undefined {
  const open = [{ token: root, depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { token, depth } = next;
    if (!token || !('items' in token)) continue;
    if (depth >= limit) return token.offset;
    for (const { key, value } of token.items) {
      for (const part of [key, value]) if (part && 'items' in part) open.push({ token: part, depth: depth + 1 });
    }
  }
  return undefined;
}
