import { z } from 'zod';
import { goDurationField } from '#domain/spec-fields.js';
import { ruleFault } from '#sources/rewrite-url.js';
import type { UrlRewrite } from '#sources/rewrite-url.js';
import { formatFault, parseWithFaults } from '#spec/spec-fault.js';

export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Parses environment variables. An empty variable counts as unset. Errors are sentences with the remedy and are
 * returned all at once; `before` are those found earlier.
 */
export function parseVariables<Schema extends z.ZodType>(
  schema: Schema,
  variables: Variables,
  before: readonly string[] = [],
): { readonly value: z.output<Schema> } | { readonly faults: string[] } {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value));
  const parsed = parseWithFaults(schema, given);
  const faults = [...before, ...('faults' in parsed ? parsed.faults.map(formatFault) : [])];
  return 'faults' in parsed || faults.length > 0 ? { faults } : parsed;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export const port = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/, { error: 'must be a port number, such as 8080' })
    .transform(Number)
    .pipe(z.int().max(65535))
    .default(fallback);

export const flag = (fallback: boolean) =>
  z
    .enum(['1', 'true', '0', 'false'])
    .transform((value) => value === '1' || value === 'true')
    .default(fallback);

const urlRewrites = z
  .string()
  .transform((text, context): UrlRewrite[] =>
    text.split(',').flatMap((pair) => {
      const [from, ...to] = pair.trim().split('=');
      const rule = { from: from ?? '', to: to.join('=') };
      const fault = pair.trim() ? ruleFault(rule) : undefined;
      if (fault)
        context.addIssue({ code: 'custom', message: `must be FROM=TO pairs, separated by commas: each ${fault}` });
      return pair.trim() && !fault ? [rule] : [];
    }),
  )
  .default([]);

/** Addresses and ports of a pod. It listens on all addresses of both families, because a cluster may have only IPv6. */
export const listenerFields = {
  HOST: z
    .string()
    .default('::')
    .describe(
      'the address that both HTTP ports listen on; `::` is every address of both families, or of IPv4 where there is no IPv6',
    ),
  PORT: port(8080).describe('the API'),
  INTERNAL_PORT: port(8081).describe('probes: `/health`, `/readiness`, `/version`; `/metrics`'),
};

/** Refinement for schemas with these fields: the ports must differ. */
export function portsDiffer(
  { PORT, INTERNAL_PORT }: { PORT: number; INTERNAL_PORT: number },
  context: z.core.$RefinementCtx,
): void {
  if (PORT !== INTERNAL_PORT || PORT === 0) return;
  const message = 'must differ from PORT: the API and the probes need separate ports';
  context.addIssue({ code: 'custom', path: ['INTERNAL_PORT'], message });
}

/** Settings of a site that apply to all sources. */
export const sourceFields = {
  SOURCE_URL_REWRITES: urlRewrites.describe(
    '`FROM=TO,…`: addresses at or below FROM (whole path segments) are fetched from TO, for `git` and `api` sources; the longest FROM wins. The operator refuses credentials in it',
  ),
  ALLOW_LOCAL_GIT: flag(false).describe(
    '`1` allows `file://` and `git://` repositories in a spec; they are always allowed as the target of a rewrite',
  ),
  ALLOW_PRIVATE_SOURCES: flag(true).describe(
    '`0` rejects `git` and `api` sources at addresses that are not public, redirects included',
  ),
  MIN_SYNC_INTERVAL: goDurationField.default('10s').describe('shorter intervals in a spec are raised to this'),
};

export const temporalAddress = z
  .string()
  .regex(/^[^\s/]+:\d{1,5}$/, { error: 'must be HOST:PORT without a scheme, such as localhost:7233' });

/** URL of Temporal's UI, for links to runs. */
const temporalUiUrl = z
  .string()
  .max(2048)
  .refine(
    (url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && !/[?#@]/.test(url),
    'must be an http or https URL without user, query and fragment, such as https://temporal.example.com',
  );

/** Settings that the operator passes to all registry servers. */
export const handedOnFields = {
  ...sourceFields,
  TEMPORAL_UI_URL: temporalUiUrl.optional().describe("URL of Temporal's UI, for the `url` of sync runs"),
};

export const logLevel = z.enum(LOG_LEVELS).default('info');
