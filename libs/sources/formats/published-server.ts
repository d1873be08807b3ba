import { formatPath } from '#domain/field-path.js';
import { hash } from 'node:crypto';
import { z } from 'zod';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { EntryFault, explain, refuseExcess, refuseManyValues } from './entry-fault.js';
import { parseEntry } from './entry-text.js';
import { CutFault, JsonCutter } from './json-cutter.js';
import type { Container, Slice } from './json-cutter.js';
import { withinSearchableText } from './searchable-text.js';
import { SERVER_SCHEMA, serverJsonSchema, toEntry, versionSchema } from './server-json.js';

/** One error of a server.json. */
export interface PublishIssue {
  /** Path of the field, such as `packages[0].transport.url`. Empty for the document as a whole. */
  readonly path: string;
  /** A predicate that follows the path. */
  readonly message: string;
}

/** Thrown for a body that cannot be published. Lists the first 100 errors. */
export class PublishFault extends Error {
  constructor(
    /**
     * `malformed`: the body is not JSON of the expected shape. `invalid`: it is, but it does not conform to the
     * official schema of server.json.
     */
    readonly kind: 'malformed' | 'invalid',
    readonly issues: readonly PublishIssue[],
  ) {
    const whole = kind === 'malformed' ? '' : 'the server ';
    super(issues.map(({ path, message }) => `${path === '' ? whole : `${path} `}${message}`).join('; '));
    this.name = 'PublishFault';
  }
}

function malformed(message: string): PublishFault {
  return new PublishFault('malformed', [{ path: '', message }]);
}

const LIMITS = { maxValueBytes: 1024 * 1024, maxDepth: 64 };
const LENGTH = 100;
const NO_JSON = 'the body is not valid JSON';
/** Maximum number of characters of a name that a message repeats. */
const MAX_SHOWN = 50;
/** Maximum number of errors of a server.json that are listed. */
const MAX_ISSUES = 100;

const shortText = z
  .string()
  .min(1)
  .refine((text) => Array.from(text).length <= LENGTH, `must have at most ${LENGTH} characters`);

const input = { format: z.enum(['string', 'number', 'boolean', 'filepath']).optional() };
const variables = z.record(z.string(), z.looseObject(input)).optional();
const variableInput = z.looseObject({ ...input, variables });
const transport = z.looseObject({ headers: z.array(variableInput).optional(), variables });

const argument = z
  .looseObject({
    type: z.string(),
    value: z.string().optional(),
    valueHint: z.string().optional(),
    ...input,
    variables,
  })
  .refine(({ type, value, valueHint }) => type !== 'positional' || value !== undefined || valueHint !== undefined, {
    error: 'must have a value or a valueHint: a positional argument has no name',
  });

const icon = z.looseObject({
  src: z.url().max(255),
  mimeType: z.enum(['image/png', 'image/jpeg', 'image/jpg', 'image/svg+xml', 'image/webp']).optional(),
  sizes: z.array(z.string().regex(/^(\d+x\d+|any)$/, 'must be width and height such as 48x48, or any')).optional(),
  theme: z.enum(['light', 'dark']).optional(),
});

/**
 * The rules of the official schema of 2025-12-11 that are stricter than what this registry accepts from files. A
 * publisher can fix an error immediately, but the reader of a whole catalogue has to tolerate it.
 */
const officialLimits = z.looseObject({
  $schema: z.url({ error: `must be the URL of a schema, such as ${SERVER_SCHEMA}` }).optional(),
  description: shortText,
  title: shortText.optional(),
  websiteUrl: z.url({ protocol: /^https?$/ }).optional(),
  repository: z.looseObject({ url: z.url(), source: z.string().min(1) }).optional(),
  icons: z.array(icon).optional(),
  packages: z
    .array(
      z
        .looseObject({
          registryBaseUrl: z.url().optional(),
          version: versionSchema.optional(),
          fileSha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits in lower case')
            .optional(),
          transport: transport.optional(),
          runtimeArguments: z.array(argument).optional(),
          packageArguments: z.array(argument).optional(),
          environmentVariables: z.array(variableInput).optional(),
        })
        .refine(({ registryType, fileSha256 }) => registryType !== 'mcpb' || fileSha256 !== undefined, {
          path: ['fileSha256'],
          error: 'is missing: a bundle (mcpb) is downloaded from anywhere and needs it',
        }),
    )
    .optional(),
  remotes: z.array(transport).optional(),
});

const BODY: Container = { name: '', opener: '{', holdsEntries: true };

/**
 * Reads a published server.json, which keeps its original text and order. Throws a PublishFault. `member` is the name
 * of the member that contains it. If absent, the body itself is the server.json.
 */
export function readPublished(body: Buffer, member?: string): { entry: CatalogueEntry; hash: Buffer } {
  const slice = member === undefined ? theBody(body) : onlyMember(body, member);
  if (!slice?.bytes || slice.opener !== '{') {
    const where = member === undefined ? 'the body' : `"${member}" in the body`;
    throw malformed(`${where} must be a server.json: one JSON object of at most 1 MiB`);
  }
  const { bytes, colons, hasBlanks } = slice;
  const digest = hash('sha256', bytes, 'buffer');
  try {
    refuseManyValues(bytes);
    const text = parseEntry({ bytes, colons, hasBlanks });
    refuseFaults(text.value);
    return { entry: withinSearchableText(toEntry(text)), hash: digest };
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed(NO_JSON);
    if (!(error instanceof EntryFault)) throw error;
    throw new PublishFault('invalid', [{ path: error.path, message: error.message }]);
  }
}

/**
 * Cuts the body like any other value by wrapping it in an object. If the body closes that object early, there are
 * further members, so it is rejected.
 */
function theBody(body: Buffer): Slice | undefined {
  const [slice, ...others] = cut(Buffer.concat([Buffer.from('{"server":'), body, Buffer.from('}')]));
  if (others.length > 0) throw malformed(NO_JSON);
  return slice;
}

/**
 * Returns the only member of the body. Other members are rejected instead of ignored, because the sender relies on
 * them.
 */
function onlyMember(body: Buffer, member: string): Slice | undefined {
  const slices = cut(body).filter(({ container }) => container === BODY);
  for (const { key, isDuplicate } of slices) {
    const name = JSON.stringify(`${key}`.slice(0, MAX_SHOWN));
    if (key !== member) throw malformed(`${name} in the body is not supported: send "${member}" alone`);
    if (isDuplicate) throw malformed(`${name} is in the body twice: keep one`);
  }
  return slices[0];
}

function refuseFaults(value: unknown): void {
  refuseExcess(value);
  const issues: PublishIssue[] = [];
  for (const schema of [serverJsonSchema, officialLimits]) {
    // Finding more errors than are listed would take as long again.
    if (issues.length >= MAX_ISSUES) break;
    const { error } = schema.safeParse(value, { error: explain });
    const found = (error?.issues ?? []).slice(0, MAX_ISSUES);
    for (const { path, message } of found) issues.push({ path: formatPath(path), message });
  }
  const unique = new Map(issues.map((issue) => [`${issue.path} ${issue.message}`, issue]));
  if (unique.size > 0) throw new PublishFault('invalid', Array.from(unique.values()).slice(0, MAX_ISSUES));
}

function cut(body: Buffer): Slice[] {
  const cutter = new JsonCutter(BODY, LIMITS);
  try {
    const members = cutter.push(body);
    cutter.end();
    return members;
  } catch (error) {
    if (error instanceof CutFault) throw malformed(NO_JSON);
    throw error;
  }
}
