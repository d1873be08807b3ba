import { z } from 'zod';
import { compileGlob } from '#domain/glob.js';
import { DIALECTS } from '#exports/export-options.js';
import type { Dialect, ExportOptions } from '#exports/export-options.js';
import { decodable, text } from './query-fields.js';

const MAX_PATTERNS = 50;
const MAX_PATTERN = 256;
const MAX_DENIED = 5;

/** A comma-separated list in canonical form: order and repetition do not matter. */
const list = text
  .refine((value) => value.length <= MAX_PATTERNS * (MAX_PATTERN + 1), 'is too long')
  .transform((value) => [...new Set(value.split(',').flatMap((item) => item.trim() || []))].toSorted());

const oneOf = <const Value extends string>(...values: readonly Value[]) =>
  z.enum(values, `must be ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`).optional();

const someOf = <const Value extends string>(...values: readonly Value[]) =>
  list
    .refine(
      (items): items is Value[] => items.every((item) => values.includes(item as Value)),
      `must be ${values.join(', ')}, or several of them separated by commas`,
    )
    .transform((items) => (items.length > 0 ? (items as Value[]) : undefined))
    .optional();

const patterns = list
  .refine((items) => items.length <= MAX_PATTERNS, `must have at most ${MAX_PATTERNS} patterns`)
  .refine(
    (items) => items.every((item) => item.length <= MAX_PATTERN),
    `must have patterns of at most ${MAX_PATTERN} characters`,
  )
  .superRefine((items, context) => {
    for (const item of items) {
      try {
        compileGlob(item);
      } catch (error) {
        context.addIssue({ code: 'custom', message: `has a pattern that ${(error as Error).message}` });
      }
    }
  });

const fields = z.object({
  names: patterns.optional(),
  tag: list.optional(),
  transport: someOf('stdio', 'http', 'sse'),
  prefer: oneOf('remote', 'package'),
  deprecated: oneOf('true', 'false'),
  pinned: oneOf('any', 'only'),
  platform: oneOf('any', 'posix', 'windows'),
  dialects: someOf(...DIALECTS),
  include: someOf('server-names', 'templates'),
  deny: list.refine((items) => items.length <= MAX_DENIED, `must have at most ${MAX_DENIED} names`).optional(),
  env: oneOf('prefixed', 'plain'),
  overridable: oneOf('true', 'false'),
  download: oneOf('true', 'false'),
});

/**
 * Names of the parameters that the command `export` accepts. The others refer to tags and sources, which only a server
 * knows, or control how a browser downloads the file.
 */
export const EXPORT_PARAMETERS = Object.keys(fields.shape).filter(
  (name) => !['tag', 'deny', 'download'].includes(name),
);

export interface ExportQuery {
  readonly names: readonly string[];
  readonly tags: readonly string[];
  readonly withDeprecated: boolean;
  readonly deny: readonly string[];
  readonly isDownload: boolean;
  readonly options: Pick<
    ExportOptions,
    'prefer' | 'pinned' | 'platform' | 'dialects' | 'include' | 'env' | 'overridable' | 'transports'
  >;
  /** The parameters that differ from their defaults, as a query string. Equal strings select the same text. */
  readonly canonical: string;
}

const DEFAULTS: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    prefer: 'remote',
    deprecated: 'true',
    pinned: 'any',
    platform: 'any',
    dialects: 'portable,vscode',
    env: 'prefixed',
    overridable: 'false',
  }),
);

/** Query of an export. Unknown parameters are ignored. */
export const ExportQuerySchema = decodable.pipe(
  fields.transform((given): ExportQuery => {
    const { names = [], tag = [], transport, dialects = ['portable', 'vscode'], include = [], deny = [] } = given;
    return {
      names,
      tags: tag,
      withDeprecated: given.deprecated !== 'false',
      deny,
      isDownload: given.download === 'true',
      options: {
        prefer: given.prefer ?? 'remote',
        pinned: given.pinned ?? 'any',
        platform: given.platform ?? 'any',
        dialects: new Set<Dialect>(dialects),
        include: new Set(include),
        env: given.env ?? 'prefixed',
        overridable: given.overridable === 'true',
        ...(transport && { transports: new Set(transport) }),
      },
      canonical: toCanonical(given),
    };
  }),
);

function toCanonical(given: z.output<typeof fields>): string {
  const pairs = Object.entries(given).flatMap(([name, value]): [string, string][] => {
    const written = Array.isArray(value) ? value.join(',') : value;
    const isPart = name !== 'download' && written !== undefined && written !== '' && written !== DEFAULTS.get(name);
    return isPart ? [[name, written]] : [];
  });
  return new URLSearchParams(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))).toString();
}
