import type { z } from 'zod';

/** The words for zod's types in messages. */
export const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'an object'],
  ['record', 'an object'],
]);

/**
 * Returns our wording for one of zod's own checks: a predicate that is appended to the path of the field. Undefined
 * keeps zod's message.
 */
export function explainIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${TYPE_NAMES.get(issue.expected) ?? issue.expected}`;
    case 'invalid_value': {
      const values = `${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}`;
      return issue.input === undefined ? `is missing: ${values}` : `must be ${values}`;
    }
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty';
      if (issue.origin === 'array') return `must have at least ${count(issue.minimum, 'item')}`;
      return `must be at least ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'string') return `must have at most ${count(issue.maximum, 'character')}`;
      if (issue.origin === 'array') return `must have at most ${count(issue.maximum, 'item')}`;
      return `must be at most ${issue.maximum}`;
    case 'invalid_format':
      if (issue.format === 'url') return 'must be a whole URL, such as https://example.com/a';
      return 'pattern' in issue ? `must match ${issue.pattern}` : undefined;
    default:
      return undefined;
  }
}

/** Returns an amount with its noun in the singular or plural. */
export function count(amount: number | bigint, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
