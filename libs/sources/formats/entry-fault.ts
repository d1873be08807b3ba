import type { z } from 'zod';
import { isWithinBudget } from '#domain/bounded-walk.js';
import { shortened } from '#domain/shortened.js';

/** One entry cannot be served; the rest of its file can. */
export class EntryFault extends Error {
  /** Path of the field, such as `packages[0].transport.url`; empty for the entry as a whole. */
  readonly path: string;

  constructor(path: readonly PropertyKey[], message: string) {
    super(message);
    this.name = 'EntryFault';
    this.path = formatPath(path);
  }
}

const MAX_FAULTS = 10;

/** Fields and items of a value that is checked: zod keeps some kilobytes for each that is at fault, and finds every fault. */
export const MAX_CHECKED = 10_000;

/** Throws an EntryFault for a value that is too large to be checked. */
export function refuseExcess(value: unknown): void {
  if (!isWithinBudget(value, { nodes: MAX_CHECKED, depth: Infinity })) {
    throw new EntryFault([], `has more than ${MAX_CHECKED} fields and items, too many to check: shorten it`);
  }
}

/** Checks what was parsed; throws an EntryFault that lists its faults, ten at most. The value itself is returned, untouched. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  refuseExcess(value);
  const result = schema.safeParse(value, { error: explain });
  // Never zod's copy: it assigns a member named __proto__, which JSON.parse keeps as a mere name.
  if (result.success) return value as z.output<Schema>;
  const { issues } = result.error;
  const messages = issues.slice(0, MAX_FAULTS).map(({ path, message }, index) => {
    const said = `${message}${formerSpelling(value, path)}`;
    return index === 0 ? said : [formatPath(path), said].filter(Boolean).join(' ');
  });
  const more = issues.length > MAX_FAULTS ? `; and ${issues.length - MAX_FAULTS} more` : '';
  throw new EntryFault(issues[0]?.path ?? [], `${messages.join('; ')}${more}`);
}

/** Spellings before the first published schema of server.json, by the field that took their place. */
const FORMER_SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  version: ['version_detail', 'versionDetail'],
  type: ['transport_type', 'transportType'],
  registryType: ['registry_name', 'registryName', 'package_type', 'packageType'],
  identifier: ['name', 'package_name'],
};

/** Names the field that stands in the place of a missing one. */
function formerSpelling(value: unknown, path: readonly PropertyKey[]): string {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | null)?.[step], value);
  const field = String(path.at(-1));
  if (typeof parent !== 'object' || parent === null || Object.hasOwn(parent, field)) return '';
  const former = Object.hasOwn(FORMER_SPELLINGS, field) ? FORMER_SPELLINGS[field] : undefined;
  const found = former?.find((name) => Object.hasOwn(parent, name));
  return found ? ` (${found} is what it was called before July 2025)` : '';
}

/** Characters of one field name that are shown. */
const SHOWN_STEP = 100;

export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const name = shortened(String(step), SHOWN_STEP);
    if (!/^[\w$-]+$/.test(name)) return `${text}[${JSON.stringify(name)}]`;
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
      if (issue.input === undefined)
        return `is missing: ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}`;
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
