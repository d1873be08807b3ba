import { z } from 'zod';
import { admission, listedBy } from '#domain/admission-rule.js';
import { compileGlob } from '#domain/glob.js';
import { parseGoDuration } from '#domain/go-duration.js';
import type { SourceFilter } from '#domain/source-filter.js';
import { SOURCE_FORMATS } from '#domain/source-format.js';
import type { SourceFormat } from '#domain/source-format.js';
import { goDurationField, serverNamespace, sourceName } from '#domain/spec-fields.js';
import { serverSources, sources } from '#sources/index.js';
import { always, uniqueNames } from './refinements.js';

/** Schemas by the names of their blocks: the ways to say where the entries of a source come from. */
type Blocks = Readonly<Record<string, z.ZodType>>;

const specBlocks: Blocks = Object.fromEntries(sources.map(({ block, spec }) => [block, spec]));

const serverBlocks: Blocks = Object.fromEntries(
  [...sources, ...serverSources].map(({ block, spec, serverSpec = spec }) => [block, serverSpec]),
);

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

const MANAGED_FILTER = 'cannot stand beside managed: what should not be served need not be published';
const MANAGED_NAMESPACE = 'cannot stand beside managed: servers are published under their whole names';

const entrySpec = (blocks: Blocks) =>
  z
    .strictObject({
      name: sourceName.describe('name identifies the source within the registry: letters, digits, ".", "_" and "-".'),
      format: z
        .enum(SOURCE_FORMATS)
        .optional()
        .describe(
          'format is the format of the data. Defaults to upstream for api and managed sources, and to toolhive for the others.',
        ),
      defaultNamespace: serverNamespace
        .optional()
        .describe(
          'defaultNamespace is the namespace of servers whose names have none: the server github is served as com.example/github.',
        ),
      ...Object.fromEntries(Object.entries(blocks).map(([block, spec]) => [block, spec.optional()])),
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
      if (typeof entry !== 'object' || entry === null) return;
      const known = Object.keys(blocks);
      const given = known.filter((block) => (entry as Record<string, unknown>)[block] !== undefined);
      if (given.length === 1) return;
      const message =
        given.length === 0
          ? `must have a source: add one of ${known.join(', ')}`
          : `must have one source but has ${given.join(' and ')}: make each an item of its own`;
      context.addIssue({ code: 'custom', message });
    }, always)
    .superRefine((entry: unknown, context) => {
      if (typeof entry !== 'object' || entry === null) return;
      const { managed, filter, defaultNamespace } = entry as Record<string, unknown>;
      if (managed === undefined) return;
      if (filter !== undefined) context.addIssue({ code: 'custom', path: ['filter'], message: MANAGED_FILTER });
      if (defaultNamespace === undefined) return;
      context.addIssue({ code: 'custom', path: ['defaultNamespace'], message: MANAGED_NAMESPACE });
    }, always)
    .meta(
      admission(
        {
          rule: `[${Object.keys(blocks)
            .map((block) => `has(self.${block})`)
            .join(', ')}].exists_one(given, given)`,
          message: `must have exactly one source: one of ${Object.keys(blocks).join(', ')}; make each an item of its own`,
        },
        { rule: '!has(self.managed) || !has(self.filter)', message: `filter ${MANAGED_FILTER}`, fieldPath: '.filter' },
        {
          rule: '!has(self.managed) || !has(self.defaultNamespace)',
          message: `defaultNamespace ${MANAGED_NAMESPACE}`,
          fieldPath: '.defaultNamespace',
        },
      ),
    );

const entriesSpec = (blocks: Blocks, limit: number) =>
  z
    .array(entrySpec(blocks))
    .min(1, 'must not be empty: add a source, or remove the field to serve only what is found in the cluster')
    .max(limit)
    .superRefine(uniqueNames, always)
    .meta(listedBy('name'))
    .optional()
    .describe(
      'registries are the sources of the entries. When several sources have a server of the same name, the first one wins.',
    );

/** `registries` of an MCPRegistry: the sources, in order of precedence. */
export const sourceEntriesSpec = entriesSpec(specBlocks, SOURCES_LIMIT);

/** The same in the configuration of a server, with room for the source that is built in. */
export const serverEntriesSpec = entriesSpec(serverBlocks, SOURCES_LIMIT + 1);

/** Name of the source that the operator adds. */
export const BUILT_IN_SOURCE = 'default';

/** One source, with what its block leaves open filled in. */
export interface RegistrySource {
  readonly name: string;
  /** The block that it came from: `git`, `configMapRef`, … */
  readonly type: string;
  /** The block of the source, as its schema returned it. */
  readonly spec: unknown;
  readonly format: SourceFormat;
  /** Absent: sync at start, on change and on a trigger only. */
  readonly intervalMs?: number;
  readonly filter?: SourceFilter;
  /** The namespace of names without a slash. */
  readonly defaultNamespace?: string;
  /** It is in no spec: the operator adds it. */
  readonly builtIn?: true;
}

interface SourceEntry extends Record<string, unknown> {
  readonly name: string;
  readonly format?: SourceFormat | undefined;
  readonly syncPolicy?: { readonly interval: string } | undefined;
  readonly filter?: SourceFilter;
  readonly defaultNamespace?: string | undefined;
}

/** `fallback`: the format of data in files that do not say theirs. */
export function normalizeSource(entry: { readonly name: string }, fallback: SourceFormat = 'toolhive'): RegistrySource {
  const { name, format, syncPolicy, filter, defaultNamespace, ...blocks } = entry as SourceEntry;
  const [type, spec] = Object.entries(blocks).find(([, block]) => block !== undefined) as [string, unknown];
  const intervalMs = syncPolicy && parseGoDuration(syncPolicy.interval);
  return {
    name,
    type,
    spec,
    format: format ?? (type === 'api' || type === 'managed' ? 'upstream' : fallback),
    // A timer knows no parts of a millisecond.
    ...(intervalMs !== undefined && { intervalMs: Math.ceil(intervalMs) }),
    ...(filter !== undefined && { filter }),
    ...(defaultNamespace !== undefined && { defaultNamespace }),
  };
}

function globFault(pattern: string): string | undefined {
  try {
    compileGlob(pattern);
    return undefined;
  } catch (error) {
    return (error as SyntaxError).message;
  }
}
