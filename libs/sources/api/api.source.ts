import { z } from 'zod';
import { admission } from '#domain/admission-rule.js';
import { parseGoDuration } from '#domain/go-duration.js';
import { goDurationField, httpUrl } from '#domain/spec-fields.js';
import { shownUrl } from '#http/http-failure.js';
import type { ApiContext } from './api-client.js';
import { probeChanges } from './probe-changes.js';
import type { KnownState, Probe } from './probe-changes.js';
import { readApiPage, walkPages } from './walk-pages.js';
import type { PageOutline, RawPage, WalkOptions } from './walk-pages.js';
import { defineSource } from '../source.js';

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 300_000;

const apiSpec = z
  .strictObject({
    endpoint: httpUrl.describe(
      'endpoint is the base URL of the other registry. /v0.1/servers, or else /v0/servers, is appended to it.',
    ),
    timeout: goDurationField
      .refine((text) => (parseGoDuration(text) ?? 0) <= MAX_TIMEOUT_MS, 'must be at most 5m')
      .meta(
        admission({
          rule: "duration(self) > duration('0s') && duration(self) <= duration('5m')",
          message: 'must be longer than zero and at most 5m',
        }),
      )
      .optional()
      .describe('timeout limits one request, from the connection to the last byte. Defaults to 30s; at most 5m.'),
  })
  .describe('api reads another registry over its HTTP API.');

export type ApiSpec = z.output<typeof apiSpec>;

/** Reads another registry page by page over the generic registry API, of which it asks no more than the list of servers. */
export const apiSource = defineSource({
  block: 'api',
  view: { type: 'REMOTE', sourceType: 'api', address: 'endpoint' },
  shape: 'pages',
  defaultFormat: 'upstream',
  spec: apiSpec,

  address: ({ endpoint }: ApiSpec): string => shownUrl(endpoint),

  /** Whether anything changed since the list was stored, as far as the registry can say so. */
  probe: (spec: ApiSpec, known: KnownState, context: ApiContext): Promise<Probe> =>
    probeChanges(spec.endpoint, timeoutOf(spec), known, context),

  /** The list from its beginning, or from the page after a stored cursor on. */
  pages: <Page extends PageOutline>(
    spec: ApiSpec,
    options: WalkOptions,
    context: ApiContext,
    take: (page: RawPage) => Page | Promise<Page>,
  ): AsyncGenerator<Page> => walkPages(spec.endpoint, timeoutOf(spec), options, context, take),

  read: readApiPage,
});

function timeoutOf({ timeout }: ApiSpec): number {
  return (timeout === undefined ? undefined : parseGoDuration(timeout)) ?? DEFAULT_TIMEOUT_MS;
}
