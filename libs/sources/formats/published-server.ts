import { hash } from 'node:crypto';
import { z } from 'zod';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { EntryFault, explain, formatPath, refuseExcess } from './entry-fault.js';
import { parseEntry } from './entry-text.js';
import { CutFault, JsonCutter } from './json-cutter.js';
import type { Container, Slice } from './json-cutter.js';
import { withinSearchableText } from './searchable-text.js';
import { SERVER_SCHEMA, serverJsonSchema, toEntry, versionSchema } from './server-json.js';

/** One fault of a server.json. */
export interface PublishIssue {
  /** Path of the field, such as `packages[0].transport.url`; empty for the whole. */
  readonly path: string;
  /** A predicate that follows the path. */
  readonly message: string;
}

/** A body that cannot be published; it lists the first 100 faults. */
export class PublishFault extends Error {
  constructor(
    /** `malformed`: it is no JSON of the expected shape; `invalid`: it is, but no server.json by the official schema. */
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
/** Characters of a name that is repeated in a message. */
const MAX_SHOWN = 50;
/** Faults of one server.json that are listed. */
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
 * What the official schema of 2025-12-11 asks for beyond what this registry takes from files: a publisher can mend at
 * once what a reader of a whole catalogue has to bear with.
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
 * Reads one server.json that is published, which is kept in its own words and order. Throws a PublishFault. `member`: it
 * is the only one in the body; absent: it is the body.
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
    const text = parseEntry({ bytes, colons, hasBlanks });
    refuseFaults(text.value);
    return { entry: withinSearchableText(toEntry(text)), hash: digest };
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed(NO_JSON);
    if (!(error instanceof EntryFault)) throw error;
    throw new PublishFault('invalid', [{ path: error.path, message: error.message }]);
  }
}

/** Wrapped, so that it is cut like any other value; what closes the wrapping itself would go on behind it. */
function theBody(body: Buffer): Slice | undefined {
  const [slice, ...others] = cut(Buffer.concat([Buffer.from('{"server":'), body, Buffer.from('}')]));
  if (others.length > 0) throw malformed(NO_JSON);
  return slice;
}

/** Returns the only member of the body. Other members are refused instead of dropped, because their sender relies on them. */
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
  const issues = [serverJsonSchema, officialLimits].flatMap((schema) => {
    const { error } = schema.safeParse(value, { error: explain });
    return (error?.issues ?? []).slice(0, MAX_ISSUES).map(({ path, message }) => ({ path: formatPath(path), message }));
  });
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
