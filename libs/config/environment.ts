import { z } from 'zod';
import { parseGoDuration } from '#domain/go-duration.js';
import { goDurationField } from '#domain/spec-fields.js';
import type { UrlRewrite } from '#sources/source.js';
import { formatFault, parseWithFaults } from './spec-fault.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const port = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/, { error: 'must be a port number, such as 8080' })
    .transform(Number)
    .pipe(z.int().max(65535))
    .default(fallback);

const flag = z
  .enum(['1', 'true', '0', 'false'])
  .transform((value) => value === '1' || value === 'true')
  .default(false);

const urlRewrites = z
  .string()
  .transform((text, context): UrlRewrite[] =>
    text.split(',').flatMap((pair) => {
      const [from, ...to] = pair.trim().split('=');
      if (from && to.join('=')) return { from, to: to.join('=') };
      if (pair.trim())
        context.addIssue({ code: 'custom', message: 'must be FROM=TO pairs of URL prefixes, separated by commas' });
      return [];
    }),
  )
  .default([]);

const environmentSchema = z
  .object({
    HOST: z.string().default('0.0.0.0'),
    PORT: port(8080),
    INTERNAL_PORT: port(8081),
    DATA_DIR: z.string().default('.data'),
    DATABASE_URL: z
      .string()
      .refine((url) => URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol), {
        error:
          'must be a URL such as postgresql://user@host:5432/registry, with special characters of the password percent-encoded',
      })
      .optional(),
    TEMPORAL_ADDRESS: z
      .string()
      .regex(/^[^\s/]+:\d{1,5}$/, { error: 'must be HOST:PORT without a scheme, such as localhost:7233' })
      .optional(),
    TEMPORAL_NAMESPACE: z.string().default('default'),
    TEMPORAL_PORT: port(7233),
    TEMPORAL_UI_PORT: port(8233),
    SOURCE_URL_REWRITES: urlRewrites,
    ALLOW_LOCAL_GIT: flag,
    ALLOW_PRIVATE_SOURCES: flag.removeDefault().default(true),
    MIN_SYNC_INTERVAL: goDurationField.default('10s'),
    LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  })
  .refine(({ PORT, INTERNAL_PORT }) => PORT !== INTERNAL_PORT || PORT === 0, {
    path: ['INTERNAL_PORT'],
    error: 'must differ from PORT: the API and the probes have a port each',
  })
  .transform((env) => ({
    /** Address to listen on; 0.0.0.0 is every IPv4 interface. */
    host: env.HOST,
    port: env.PORT,
    internalPort: env.INTERNAL_PORT,
    dataDirectory: env.DATA_DIR,
    /** Absent: an embedded Postgres is started. */
    databaseUrl: env.DATABASE_URL,
    /** `host:port`; absent: a local Temporal server is started. */
    temporalAddress: env.TEMPORAL_ADDRESS,
    temporalNamespace: env.TEMPORAL_NAMESPACE,
    /** Where a local Temporal server should listen, if free. */
    temporalPort: env.TEMPORAL_PORT,
    temporalUiPort: env.TEMPORAL_UI_PORT,
    urlRewrites: env.SOURCE_URL_REWRITES,
    allowLocalGit: env.ALLOW_LOCAL_GIT,
    /** False: API sources may be at public addresses only. */
    allowPrivateSources: env.ALLOW_PRIVATE_SOURCES,
    /** Shorter intervals in a spec are raised to this. */
    minSyncIntervalMs: parseGoDuration(env.MIN_SYNC_INTERVAL)!,
    logLevel: env.LOG_LEVEL,
  }));

/** What the environment says about a standalone process. */
export type StandaloneEnvironment = z.output<typeof environmentSchema>;

/** Reads the variables of a standalone process; an empty one counts as unset. Faults are sentences with the remedy. */
export function parseEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
): { environment: StandaloneEnvironment } | { faults: string[] } {
  const given = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = parseWithFaults(environmentSchema, given);
  return 'faults' in parsed ? { faults: parsed.faults.map(formatFault) } : { environment: parsed.value };
}
