import type { z } from 'zod';

/** One entry cannot be served; the rest of its file can. */
export class EntryFault extends Error {
  /** As in `packages[0].transport.url`; empty for the entry as a whole. */
  readonly path: string;

  constructor(path: readonly PropertyKey[], message: string) {
    super(message);
    this.name = 'EntryFault';
    this.path = formatPath(path);
  }
}

/** Checks what was parsed; throws an EntryFault with the first fault. The value itself is given back, untouched. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value, { error: explain });
  // Never zod's copy: it assigns a member named __proto__, which JSON.parse keeps as a mere name.
  if (result.success) return value as z.output<Schema>;
  const [first, ...others] = result.error.issues;
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  throw new EntryFault(first?.path ?? [], `${first?.message ?? 'is not valid'}${more}`);
}

export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const name = String(step);
    if (!/^[\w$-]+$/.test(name)) return `${text}[${JSON.stringify(name.slice(0, 100).toWellFormed())}]`;
    return text ? `${text}.${name}` : name;
  }, '');
}

const TYPES: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** Predicates, to follow the path. */
export function explain(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}`;
    case 'invalid_union':
      return issue.input === null || typeof issue.input !== 'object' ? 'must be an object' : undefined;
    case 'invalid_format':
      return issue.format === 'url' ? 'must be a whole URL, such as https://example.com/a' : undefined;
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must have at most ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`;
    default:
      return undefined;
  }
}
