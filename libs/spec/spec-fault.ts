import { z } from 'zod';
import { formatPath, shownStep } from '#domain/field-path.js';
import { shortened } from '#domain/shortened.js';
import { count, explainIssue, TYPE_NAMES } from '#domain/zod-wording.js';
import { misplacedField } from './misplaced-field.js';
import { nearestName } from './nearest-name.js';

/** One error in an MCPRegistry. */
export interface SpecFault {
  /** The path from the root of the document, such as `['spec', 'registries', 0, 'git', 'path']`. */
  readonly path: readonly (string | number)[];
  /** The invalid value, if it is helpful and may be shown, followed by the error and the remedy. */
  readonly message: string;
}

/** Formats an error, for example `spec.registries[0].git.path: "data.yaml" must be a .json file`. */
export function formatFault({ path, message }: SpecFault): string {
  return [formatPath(path), message].filter(Boolean).join(': ');
}

/**
 * Maximum length in characters of a message that lists errors. It is limited because the message becomes a status, an
 * Event, and a result in a workflow's history.
 */
export const FAULTS_LIMIT = 4096;

/** Joins errors to one message of at most `FAULTS_LIMIT` characters. */
export function joinFaults(formatted: readonly string[]): string {
  return shortened(formatted.join('; '), FAULTS_LIMIT);
}

/** Returns one message with the first {@link MAX_FAULTS} sentences and the number of further ones. */
export function listFaults(faults: readonly string[]): string {
  const more = faults.length - MAX_FAULTS;
  const rest = more > 0 ? [`${count(more, 'more fault')}: correct the others first`] : [];
  return joinFaults([...faults.slice(0, MAX_FAULTS), ...rest]);
}

interface ParseOptions {
  /** Prefix of the path of each error. */
  readonly root?: readonly (string | number)[];
  /** Whether messages may show values. False for input that is secret as a whole. */
  readonly showValues?: boolean;
}

/** Maximum number of errors of one value that are listed. */
export const MAX_FAULTS = 20;
/**
 * Maximum number of unknown fields of one object that are listed separately. More of them are reported as one error.
 */
export const MAX_UNKNOWN_FIELDS = 100;

/**
 * Parses with a schema whose messages are predicates. Returns the first errors, followed by one that says how many more
 * there are. No message contains a secret.
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
      return issue.code === 'invalid_type' ? explainType(issue) : explainIssue(issue);
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

/** An error whose message is composed only if it is listed. */
interface FoundFault extends Pick<SpecFault, 'path'> {
  say(): string;
}

/**
 * Returns the first error of each path. A field that violates a general rule also violates specific ones, and one
 * message is enough.
 */
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

const EXPECTED: ReadonlyMap<string, string> = new Map([...TYPE_NAMES, ['object', 'an object with fields']]);

/** Explains a wrong type in words for someone who writes YAML. */
function explainType(issue: Extract<z.core.$ZodRawIssue, { code: 'invalid_type' }>): string {
  const description = issue.inst instanceof z.ZodType ? issue.inst.description : undefined;
  const expected = EXPECTED.get(issue.expected) ?? issue.expected;
  if (issue.input === undefined)
    return `is required${description ? `: ${withoutSubject(description)}` : `, as ${expected}`}`;
  if (issue.input === null) return `must be ${expected}, but is empty: give it a value or remove it`;
  if (issue.expected === 'string' && typeof issue.input !== 'object') {
    // YAML may parse 1.10 or a commit id as a different number than what is written.
    const isChanged = typeof issue.input === 'number' && !Number.isSafeInteger(issue.input);
    return `must be text: put ${isChanged ? 'what is written there' : 'it'} in quotes`;
  }
  return `must be ${expected}`;
}

/**
 * Removes the subject, because descriptions start with the field, as in Kubernetes: `name is the name of the Secret.`
 */
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
  const first = JSON.stringify(shownStep(keys[0] ?? ''));
  return `has ${keys.length} fields that are not known here, the first of them ${first}: remove them`;
}

/** Paths at which a value may be a secret that was put in the wrong place. */
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

/** Removes what may be a credential in a URL or an scp-like address: the user information and the query. */
function withoutCredentials(text: string): string {
  const end = text.lastIndexOf('@') + 1;
  const start = text.indexOf('//') + 2;
  const colon = text.indexOf(':');
  const isUrl = start >= 2 && start < end;
  const isScpLike = colon >= 0 && colon < end && !text.startsWith('git@');
  const masked = isUrl ? `${text.slice(0, start)}…@${text.slice(end)}` : text;
  return (isScpLike ? `…@${text.slice(end)}` : masked).replace(/\?[^]*/, '?…');
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '');
}
