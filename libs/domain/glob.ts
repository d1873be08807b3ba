import { matchSteps } from './match-steps.js';
import type { PatternStep } from './match-steps.js';

/**
 * Name patterns of filters: `*` matches any run of characters, including `/`; `?` matches one character; `[a-z]`,
 * `[!a-z]` or `[^a-z]` match one of a set; a backslash escapes the next character. Patterns match the whole string and
 * are case-sensitive.
 *
 * Matched by hand, because a pattern comes from a user: a regular expression built from it could backtrack forever, and
 * the glob libraries of npm give braces, `**` and `!` a special meaning.
 */
export interface Glob {
  readonly pattern: string;
  matches(text: string): boolean;
}

type Step = PatternStep<string>;

/** Compiles a pattern. Throws a SyntaxError with the reason if it is invalid. */
export function compileGlob(pattern: string): Glob {
  const steps = parse(pattern);
  return { pattern, matches: (text) => matchSteps(steps, Array.from(text)) };
}

function parse(pattern: string): Step[] {
  const characters = Array.from(pattern);
  const steps: Step[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    if (character === '*') {
      if (!steps.at(-1)?.isRun) steps.push({ isRun: true, accepts: () => true });
    } else if (character === '?') {
      steps.push({ isRun: false, accepts: () => true });
    } else if (character === '[') {
      const { step, end } = parseSet(characters, at);
      steps.push(step);
      at = end;
    } else {
      if (character === '\\') at++;
      const literal = characters[at];
      if (literal === undefined) throw new SyntaxError('ends in a backslash that escapes nothing');
      steps.push({ isRun: false, accepts: (other) => other === literal });
    }
  }
  return steps;
}

function parseSet(characters: readonly string[], open: number): { step: Step; end: number } {
  let at = open + 1;
  const negated = characters[at] === '!' || characters[at] === '^';
  if (negated) at++;
  const ranges: [string, string][] = [];
  const next = (): string => {
    if (characters[at] === '\\') at++;
    const character = characters[at++];
    if (character === undefined) throw new SyntaxError(`has a "[" at position ${open + 1} that is never closed`);
    return character;
  };
  while (characters[at] !== ']' || ranges.length === 0) {
    const from = next();
    if (characters[at] === '-' && characters[at + 1] !== ']') {
      at++;
      const to = next();
      if (to < from) throw new SyntaxError(`has a range "${from}-${to}" whose start is after its end`);
      ranges.push([from, to]);
    } else {
      ranges.push([from, from]);
    }
  }
  const accepts = (character: string) => ranges.some(([from, to]) => from <= character && character <= to) !== negated;
  return { step: { isRun: false, accepts }, end: at };
}
