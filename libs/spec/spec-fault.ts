import { z } from 'zod';
import { shortened } from '#domain/shortened.js';
import { misplacedField } from './misplaced-field.js';
import { nearestName } from './nearest-name.js';

/** One thing that is wrong with an MCPRegistry. */
export interface SpecFault {
  /** The path from the root of the document, such as `['spec', 'registries', 0, 'git', 'path']`. */
  readonly path: readonly (string | number)[];
  /** The offending value where it helps and may be shown, what is wrong with it, and the remedy. */
  readonly message: string;
}

/** `spec.registries[0].git.path: "data.yaml" must be a .json file` */
export function formatFault({ path, message }: SpecFault): string {
  return [formatPath(path), message].filter(Boolean).join(': ');
}

/** Characters of a text that lists faults: it becomes a status, an event, and a result in a workflow's history. */
export const FAULTS_LIMIT = 4096;

/** One text of at most `FAULTS_LIMIT` characters. */
export function joinFaults(formatted: readonly string[]): string {
  return shortened(formatted.join('; '), FAULTS_LIMIT);
}

/** Characters of one field name that are shown. */
const SHOWN_STEP = 100;

export function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, given) => {
    if (typeof given === 'number') return `${text}[${given}]`;
    const step = shortened(given, SHOWN_STEP);
    if (!/^[\w-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text ? `${text}.${step}` : step;
  }, '');
}

interface ParseOptions {
  /** Begins the path of each fault. */
  readonly root?: readonly (string | number)[];
  /** False for input that is a secret as a whole. */
  readonly showValues?: boolean;
}

/** Faults of one value that are listed. */
export const MAX_FAULTS = 20;
/** Unknown fields of one object that are listed each; more are one fault. */
export const MAX_UNKNOWN_FIELDS = 100;

/**
 * Parses with a schema whose messages are predicates. The first faults are listed, a last one says how many more there are;
 * none shows a secret.
 */
export function parseWithFaults<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  { root = [], showValues = true }: ParseOptions = {},
): { value: z.output<Schema> } | { faults: SpecFault[] } {
  const fieldsAt = new Map<string, string[]>();
  const result = schema.safeParse(input, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys' && issue.inst instanceof z.ZodObject) {
        fieldsAt.set(JSON.stringify(issue.path ?? []), Object.keys(issue.inst.shape));
      }
      return explain(issue);
    },
  });
  if (result.success) return { value: result.data };

  const faults = result.error.issues.flatMap((issue): FoundFault[] => {
    const path = issue.path as (string | number)[];
    if (issue.code !== 'unrecognized_keys') {
      const say = () => [showValues ? showValue(input, path) : undefined, issue.message].filter(Boolean).join(' ');
      return [{ path: [...root, ...path], say }];
    }
    const { keys } = issue;
    if (keys.length > MAX_UNKNOWN_FIELDS) return [{ path: [...root, ...path], say: () => unknownFields(keys) }];
    const known = fieldsAt.get(JSON.stringify(path)) ?? [];
    return keys.map((key) => ({
      path: [...root, ...path, key],
      say: () => unknownField(key, known, misplacedField(key, schema, formatPath(root))),
    }));
  });
  return { faults: firstFaults(faults, root) };
}

/** A fault whose message is composed only where it is listed. */
interface FoundFault extends Pick<SpecFault, 'path'> {
  say(): string;
}

/** Lists the first fault of each path. A field that breaks a general rule breaks special ones too; told once, it is corrected once. */
function firstFaults(faults: readonly FoundFault[], root: SpecFault['path']): SpecFault[] {
  const firsts = new Map<string, FoundFault>();
  for (const fault of faults) {
    const path = formatPath(fault.path);
    if (!firsts.has(path)) firsts.set(path, fault);
  }
  const listed = [...firsts.values()].slice(0, MAX_FAULTS).map(({ path, say }) => ({ path, message: say() }));
  const more = firsts.size - listed.length;
  if (more === 0) return listed;
  return [...listed, { path: root, message: `has ${count(more, 'more fault')}: correct the others first` }];
}

/** Returns this project's wording of zod's own checks; undefined keeps zod's. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return explainType(issue);
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}`;
    case 'too_small':
      if (issue.origin === 'array') return `must have at least ${count(issue.minimum, 'item')}`;
      if (issue.origin === 'string') return 'must not be empty';
      return `must be at least ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'array') return `must have at most ${count(issue.maximum, 'item')}`;
      if (issue.origin === 'string') return `must have at most ${count(issue.maximum, 'character')}`;
      return `must be at most ${issue.maximum}`;
    case 'invalid_format':
      return 'pattern' in issue ? `must match ${issue.pattern}` : undefined;
    default:
      return undefined;
  }
}

const EXPECTED: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object with fields',
};

function explainType(issue: Extract<z.core.$ZodRawIssue, { code: 'invalid_type' }>): string {
  const description = issue.inst instanceof z.ZodType ? issue.inst.description : undefined;
  const expected = EXPECTED[issue.expected] ?? issue.expected;
  if (issue.input === undefined)
    return `is required${description ? `: ${withoutSubject(description)}` : `, as ${expected}`}`;
  if (issue.input === null) return `must be ${expected}, but is empty: give it a value or remove it`;
  if (issue.expected === 'string' && typeof issue.input !== 'object') return 'must be text: put it in quotes';
  return `must be ${expected}`;
}

/** Descriptions begin with the field, as those of Kubernetes do: `name is the name of the Secret.` */
function withoutSubject(description: string): string {
  return lowerFirst(description.replace(/^\w+ (is|are) /, ''));
}

function unknownField(key: string, known: readonly string[], misplaced: string | undefined): string {
  if (misplaced) return `is not a field here: ${misplaced}`;
  const nearest = nearestName(key, known);
  if (nearest) return `is not a field here: did you mean ${nearest}?`;
  return `is not a field here: check its name and its place${known.length > 0 ? `; the fields here are ${known.join(', ')}` : ''}`;
}

function unknownFields(keys: readonly string[]): string {
  const first = JSON.stringify(shortened(keys[0] ?? '', SHOWN_STEP));
  return `has ${keys.length} fields that are not known here, the first of them ${first}: remove them`;
}

/** A value at such a path may be a secret that was put in the wrong place. */
const SECRET_LIKE = /password|secret|token|credential|configYAML|DATABASE_URL/i;

const SHOWN_LIMIT = 60;

function showValue(input: unknown, path: readonly (string | number)[]): string | undefined {
  if (path.some((step) => SECRET_LIKE.test(String(step)))) return undefined;
  const value = path.reduce<unknown>(
    (parent, step) =>
      typeof parent === 'object' && parent !== null ? (parent as Record<string | number, unknown>)[step] : undefined,
    input,
  );
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string' || value === '') return undefined;
  const text = withoutCredentials(value);
  return JSON.stringify(shortened(text, SHOWN_LIMIT));
}

/** Leaves out what may be a credential in a URL or an scp-like address: user information and query. */
function withoutCredentials(text: string): string {
  return text
    .replace(/\/\/[^]*@/, '//…@')
    .replace(/^(?!git@)[^]*:[^]*@/, '…@')
    .replace(/\?[^]*/, '?…');
}

function count(amount: number | bigint, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '');
}
