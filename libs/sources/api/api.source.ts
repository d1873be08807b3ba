import { shownUrl } from '#http/http-failure.js';
import { defineSource } from '../source.js';
import { unprotectedNotices } from '../unprotected.js';
import { apiSpec } from './api-spec.js';
import type { ApiSpec } from './api-spec.js';
import type { ApiContext } from './api-context.js';
import { probeChanges } from './probe-changes.js';
import type { KnownState, Probe } from '../pages.js';
import { readApiPage, walkPages } from './walk-pages.js';
import type { PageOutline, RawPage, WalkOptions } from '../pages.js';

/** Reads another registry page by page over the generic registry API. It uses only the list of servers. */
export const apiSource = defineSource({
  block: 'api',
  view: { type: 'REMOTE', sourceType: 'api', address: 'endpoint' },
  shape: 'pages',
  defaultFormat: 'upstream',
  spec: apiSpec,

  address: ({ endpoint }: ApiSpec): string => shownUrl(endpoint),

  objects: [
    { path: ['auth', 'tokenSecretRef'], kind: 'Secret' },
    { path: ['auth', 'clientCredentials', 'clientSecretRef'], kind: 'Secret' },
    { path: ['caCertRef'], kind: 'ConfigMap' },
  ],

  notices: ({ endpoint, auth }: ApiSpec) =>
    auth
      ? unprotectedNotices({
          'api.endpoint': endpoint,
          'api.auth.clientCredentials.tokenUrl': auth.clientCredentials?.tokenUrl,
        })
      : [],

  /** Returns whether anything has changed since the list was stored, as far as the registry reports it. */
  probe: (spec: ApiSpec, known: KnownState, context: ApiContext): Promise<Probe> => probeChanges(spec, known, context),

  /** Yields the pages of the list, from the beginning or after a stored cursor. */
  pages: <Page extends PageOutline>(
    spec: ApiSpec,
    options: WalkOptions,
    context: ApiContext,
    take: (page: RawPage) => Page | Promise<Page>,
  ): AsyncGenerator<Page> => walkPages(spec, options, context, take),

  read: readApiPage,
});
