import type { z } from 'zod';
import { isWithinBudget } from '#domain/bounded-walk.js';
import { formatPath } from '#domain/field-path.js';
import { isFields } from '#domain/fields.js';
import { explainIssue } from '#domain/zod-wording.js';

/** Thrown if one entry cannot be served. The other entries of the file are not affected. */
export class EntryFault extends Error {
  /** Path of the field, such as `packages[0].transport.url`. Empty for the entry as a whole. */
  readonly path: string;

  constructor(path: readonly PropertyKey[], message: string) {
    super(message);
    this.name = 'EntryFault';
    this.path = formatPath(path);
  }
}

const MAX_FAULTS = 10;

/**
 * Maximum number of fields and items of a value that is validated. zod reports every error, and needs some kilobytes
 * for each.
 */
export const MAX_CHECKED = 10_000;

/** Throws an EntryFault if a value is too large to be validated. */
export function refuseExcess(value: unknown): void {
  if (!isWithinBudget(value, { nodes: MAX_CHECKED, depth: Infinity })) throw excess();
}

const [COMMA, QUOTE, BACKSLASH] = [0x2c, 0x22, 0x5c];
const OPENERS: ReadonlySet<number> = new Set([0x7b, 0x5b]);

/**
 * Throws an EntryFault if unparsed JSON has too many values, which takes a tenth of the time of a check after parsing.
 * It counts commas and nested objects and lists, which are never more than the fields and items. So `refuseExcess` may
 * reject a value that passes here, and rejects every value that does not.
 */
export function refuseManyValues(json: Uint8Array): void {
  let [commas, openers, isText] = [0, 0, false];
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] as number;
    if (byte === QUOTE) isText = !isText;
    else if (isText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === COMMA) commas++;
    else if (OPENERS.has(byte)) openers++;
  }
  if (commas >= MAX_CHECKED || openers > MAX_CHECKED + 1) throw excess();
}

const excess = (): EntryFault =>
  new EntryFault([], `has more than ${MAX_CHECKED} fields and items, too many to check: shorten it`);

/**
 * Validates a parsed value. Throws an EntryFault that lists at most ten errors. Returns the value itself, unchanged.
 */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  refuseExcess(value);
  const result = schema.safeParse(value, { error: explain });
  // Returns the input instead of zod's copy, because the copy would assign a member called __proto__.
  if (result.success) return value as z.output<Schema>;
  const { issues } = result.error;
  const messages = issues.slice(0, MAX_FAULTS).map(({ path, message }, index) => {
    const said = `${message}${formerSpelling(value, path)}`;
    return index === 0 ? said : [formatPath(path), said].filter(Boolean).join(' ');
  });
  const more = issues.length > MAX_FAULTS ? `; and ${issues.length - MAX_FAULTS} more` : '';
  throw new EntryFault(issues[0]?.path ?? [], `${messages.join('; ')}${more}`);
}

/** Field names before the first published schema of server.json, by the name of the field that replaced them. */
const FORMER_SPELLINGS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries<readonly string[]>({
    version: ['version_detail', 'versionDetail'],
    type: ['transport_type', 'transportType'],
    registryType: ['registry_name', 'registryName', 'package_type', 'packageType'],
    identifier: ['name', 'package_name'],
  }),
);

/** Returns a hint about the old field that is present instead of a missing one. */
function formerSpelling(value: unknown, path: readonly PropertyKey[]): string {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | null)?.[step], value);
  const field = String(path.at(-1));
  if (!isFields(parent) || Object.hasOwn(parent, field)) return '';
  const former = FORMER_SPELLINGS.get(field);
  const found = former?.find((name) => Object.hasOwn(parent, name));
  return found ? ` (before July 2025 it was called ${found})` : '';
}

/** Returns our wording for zod's checks of an entry. */
export function explain(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_union') return explainIssue(issue);
  return isFields(issue.input) ? undefined : 'must be an object';
}
