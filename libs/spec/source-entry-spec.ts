import { z } from 'zod';
import { admission, listedBy } from '#domain/admission-rule.js';
import { isFields } from '#domain/fields.js';
import { compileGlob } from '#domain/glob.js';
import { parseGoDuration } from '#domain/go-duration.js';
import type { SourceFilter } from '#domain/source-filter.js';
import { SOURCE_FORMATS } from '#domain/source-format.js';
import type { SourceFormat } from '#domain/source-format.js';
import { goDurationField, serverNamespace, sourceName } from '#domain/spec-fields.js';
import { findSource, serverSources, sources } from '#sources/index.js';
import type { Source } from '#sources/source.js';
import { always, uniqueNames } from './refinements.js';

/** The types of sources that a document may have, each with the schema that applies to that document. */
type SourceTypes = readonly Source<unknown>[];

const specTypes: SourceTypes = sources;

const serverTypes: SourceTypes = [...sources, ...serverSources].map((source) => ({
  ...source,
  spec: source.serverSpec ?? source.spec,
}));

const SOURCES_LIMIT = 20;

const PATTERN_LIMIT = 256;
const PATTERNS_LIMIT = 200;

const globPattern = z
  .string()
  .min(1)
  .max(PATTERN_LIMIT)
  .superRefine((pattern, context) => {
    const fault = globFault(pattern);
    if (fault) context.addIssue({ code: 'custom', message: `is not a pattern: it ${fault}` });
  });

const tag = z.string().min(1).max(PATTERN_LIMIT);

const includeAndExclude = (item: z.ZodType<string>) =>
  z.strictObject({
    include: z.array(item).max(PATTERNS_LIMIT).optional(),
    exclude: z.array(item).max(PATTERNS_LIMIT).optional(),
  });

const filterSpec = z
  .strictObject({
    names: includeAndExclude(globPattern)
      .optional()
      .describe('names are patterns with *, ? and [a-z]; * matches "/" as well.'),
    tags: includeAndExclude(tag).optional().describe('tags are matched exactly.'),
  })
  .describe(
    'filter selects the entries that are served. exclude takes precedence over include; both names and tags must pass.',
  );

const FORMAT_OF_FILES: SourceFormat = 'toolhive';

const exclusionsOf = (types: SourceTypes) =>
  types.flatMap(({ block, excludes = {} }) =>
    Object.entries(excludes).map(([field, why]) => ({
      block,
      field,
      message: `cannot be combined with ${block}: ${why}`,
    })),
  );

const entrySpec = (types: SourceTypes) =>
  z
    .strictObject({
      name: sourceName.describe('name identifies the source within the registry: letters, digits, ".", "_" and "-".'),
      format: z
        .enum(SOURCE_FORMATS)
        .optional()
        .describe(`format is the format of the data. Defaults to ${describeDefaultFormats()}.`),
      defaultNamespace: serverNamespace
        .optional()
        .describe(
          'defaultNamespace is the namespace of servers whose names have none: the server github is served as com.example/github.',
        ),
      ...Object.fromEntries(types.map(({ block, spec }) => [block, spec.optional()])),
      syncPolicy: z
        .strictObject({
          interval: goDurationField.describe('interval is the time between two syncs as a Go duration, such as 30m.'),
        })
        .optional()
        .describe(
          'syncPolicy says when the source is synced. Without it, the source is synced at start, after a change and on a trigger.',
        ),
      filter: filterSpec.optional(),
    })
    .superRefine((entry: unknown, context) => {
      if (!isFields(entry)) return;
      const known = types.map(({ block }) => block);
      const given = known.filter((block) => entry[block] !== undefined);
      if (given.length === 1) return;
      const message =
        given.length === 0
          ? `must have a source: add one of ${known.join(', ')}`
          : `must have one source but has ${given.join(' and ')}: make each of them an item of its own`;
      context.addIssue({ code: 'custom', message });
    }, always)
    .superRefine((entry: unknown, context) => {
      if (!isFields(entry)) return;
      for (const { block, field, message } of exclusionsOf(types)) {
        if (entry[block] === undefined || entry[field] === undefined) continue;
        context.addIssue({ code: 'custom', path: [field], message });
      }
    }, always)
    .meta(
      admission(
        {
          rule: `[${types.map(({ block }) => `has(self.${block})`).join(', ')}].exists_one(given, given)`,
          message: `must have exactly one source: one of ${types.map(({ block }) => block).join(', ')}; make each of them an item of its own`,
        },
        ...exclusionsOf(types).map(({ block, field, message }) => ({
          rule: `!has(self.${block}) || !has(self.${field})`,
          message: `${field} ${message}`,
          fieldPath: `.${field}`,
        })),
      ),
    );

const entriesSpec = (types: SourceTypes, limit: number) =>
  z
    .array(entrySpec(types))
    .min(1, 'must not be empty: add a source, or remove the field to serve only what is found in the cluster')
    .max(limit)
    .superRefine(uniqueNames, always)
    .meta(listedBy('name'))
    .optional()
    .describe(
      'registries are the sources of the entries. When several sources have a server of the same name, the first source takes precedence.',
    );

/** `registries` of an MCPRegistry: the sources, in order of precedence. */
export const sourceEntriesSpec = entriesSpec(specTypes, SOURCES_LIMIT);

/** The sources in the configuration of a server, with one additional item for the built-in source. */
export const serverEntriesSpec = entriesSpec(serverTypes, SOURCES_LIMIT + 1);

/** Name of the source that the operator adds. */
export const BUILT_IN_SOURCE = 'default';

/** One source, with defaults applied. */
export interface RegistrySource {
  readonly name: string;
  /** Name of the block in the spec: `git`, `configMapRef`, … */
  readonly type: string;
  /** The block of the source, as its schema returned it. */
  readonly spec: unknown;
  readonly format: SourceFormat;
  /** Sync interval in milliseconds. If absent, the source is synced only at the start, on a change and on a trigger. */
  readonly intervalMs?: number;
  readonly filter?: SourceFilter;
  /** The namespace that is added to names without a slash. */
  readonly defaultNamespace?: string;
  /** Set if the source is not in the spec but was added by the operator. */
  readonly builtIn?: true;
}

interface SourceEntry extends Record<string, unknown> {
  readonly name: string;
  readonly format?: SourceFormat | undefined;
  readonly syncPolicy?: { readonly interval: string } | undefined;
  readonly filter?: SourceFilter;
  readonly defaultNamespace?: string | undefined;
}

/** Normalizes a source. `fallback` is the format of data in files that do not specify one. */
export function normalizeSource(entry: { readonly name: string }, fallback = FORMAT_OF_FILES): RegistrySource {
  const { name, format, syncPolicy, filter, defaultNamespace, ...blocks } = entry as SourceEntry;
  const [type, spec] = Object.entries(blocks).find(([, block]) => block !== undefined) as [string, unknown];
  const intervalMs = syncPolicy && parseGoDuration(syncPolicy.interval);
  return {
    name,
    type,
    spec,
    format: format ?? findSource(type)?.defaultFormat ?? fallback,
    // Timers do not support fractions of a millisecond.
    ...(intervalMs !== undefined && { intervalMs: Math.ceil(intervalMs) }),
    ...(filter !== undefined && { filter }),
    ...(defaultNamespace !== undefined && { defaultNamespace }),
  };
}

/** Returns a description such as `upstream for api and managed sources, and to toolhive for the others`. */
function describeDefaultFormats(): string {
  const special = SOURCE_FORMATS.flatMap((format) => {
    const blocks = sources.filter(({ defaultFormat }) => defaultFormat === format).map(({ block }) => block);
    return blocks.length === 0 ? [] : [`${format} for ${blocks.join(' and ')} sources`];
  });
  return `${special.join(', ')}, and to ${FORMAT_OF_FILES} for the others`;
}

function globFault(pattern: string): string | undefined {
  try {
    compileGlob(pattern);
    return undefined;
  } catch (error) {
    return (error as SyntaxError).message;
  }
}
