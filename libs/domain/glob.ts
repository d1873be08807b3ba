/**
 * Name patterns as filters use them: `*` any run of characters, `/` included; `?` one character; `[a-z]`, `[!a-z]` or
 * `[^a-z]` one of a set; a backslash takes the next character as it is. Whole string, case-sensitive.
 *
 * Matched by hand because a pattern comes from a user: a regular expression made of it could backtrack forever, and
 * the glob libraries of npm read braces, `**` and `!` as more than themselves.
 */
export interface Glob {
  readonly pattern: string;
  matches(text: string): boolean;
}

type Step = { readonly any: true } | { readonly any: false; accepts(character: string): boolean };

/** Throws a SyntaxError whose message says what is wrong with the pattern. */
export function compileGlob(pattern: string): Glob {
  const steps = parse(pattern);
  return { pattern, matches: (text) => matches(steps, Array.from(text)) };
}

function parse(pattern: string): Step[] {
  const characters = Array.from(pattern);
  const steps: Step[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    if (character === '*') {
      if (!steps.at(-1)?.any) steps.push({ any: true });
    } else if (character === '?') {
      steps.push({ any: false, accepts: () => true });
    } else if (character === '[') {
      const { step, end } = parseSet(characters, at);
      steps.push(step);
      at = end;
    } else {
      if (character === '\\') at++;
      const literal = characters[at];
      if (literal === undefined) throw new SyntaxError('ends in a backslash that escapes nothing');
      steps.push({ any: false, accepts: (other) => other === literal });
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
      if (to < from) throw new SyntaxError(`has a range "${from}-${to}" that runs backwards`);
      ranges.push([from, to]);
    } else {
      ranges.push([from, from]);
    }
  }
  const accepts = (character: string) => ranges.some(([from, to]) => from <= character && character <= to) !== negated;
  return { step: { any: false, accepts }, end: at };
}

/** Linear in text times pattern at worst: only the last `*` is ever tried again. */
function matches(steps: readonly Step[], text: readonly string[]): boolean {
  let step = 0;
  let retryStep = -1;
  let retryAt = 0;
  for (let at = 0; at < text.length;) {
    const current = steps[step];
    if (current && !current.any && current.accepts(text[at] as string)) {
      step++;
      at++;
    } else if (current?.any) {
      retryStep = ++step;
      retryAt = at;
    } else if (retryStep >= 0) {
      step = retryStep;
      at = ++retryAt;
    } else {
      return false;
    }
  }
  while (steps[step]?.any) step++;
  return step === steps.length;
}
