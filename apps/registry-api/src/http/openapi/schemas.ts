import { z } from 'zod';
import { serverJsonSchema } from '#sources/formats/server-json.js';

const time = z.iso.datetime({ offset: true });

const officialMeta = z
  .looseObject({
    status: z.enum(['active', 'deprecated', 'deleted']),
    statusMessage: z.string().optional(),
    statusChangedAt: time,
    publishedAt: time,
    updatedAt: time,
    isLatest: z.boolean(),
  })
  .describe('Facts that the registry adds to this version.');

const serverResponse = z.object({
  server: serverJsonSchema.describe(
    'The complete server.json as it was published, with its fields in the original order.',
  ),
  _meta: z.looseObject({ 'io.modelcontextprotocol.registry/official': officialMeta }),
});

const metadata = z.object({
  count: z.int().min(0).describe('Items on this page.'),
  nextCursor: z.string().optional().describe('Cursor of the next page; absent on the last one.'),
});

const counts = z
  .object({
    served: z.int(),
    hidden: z.int(),
    quarantined: z.int(),
    added: z.int(),
    updated: z.int(),
    removed: z.int(),
    unchanged: z.int(),
  })
  .partial();

const source = z.looseObject({
  name: z.string(),
  type: z.string(),
  creationType: z.string(),
  sourceType: z.string(),
  format: z.string(),
  sourceConfig: z.looseObject({}),
  filterConfig: z.looseObject({}).optional().describe('Filter of the served entries, as in the spec.'),
  syncSchedule: z.string().optional().describe('Go duration between two syncs.'),
  syncStatus: z.looseObject({
    phase: z.enum(['complete', 'syncing', 'failed']).optional(),
    lastSyncTime: time.optional(),
    lastSyncHash: z.string().optional().describe('SHA-256 of the stored content.'),
    lastAttempt: time.optional(),
    nextSyncTime: time.optional().describe('Earliest time of the next sync.'),
    attemptCount: z.int(),
    serverCount: z.int(),
    skillCount: z.int(),
    pluginCount: z.int(),
    hiddenCount: z.int(),
    quarantinedCount: z.int(),
    revision: z.string().optional(),
    reason: z.string().optional().describe('Machine-readable reason why the latest run failed.'),
    message: z.string().optional(),
  }),
  createdAt: time,
  updatedAt: time,
});

const registry = z.looseObject({
  name: z.string(),
  displayName: z.string().optional(),
  creationType: z.string(),
  sources: z.array(z.string()),
  createdAt: time,
  updatedAt: time,
});

const facetCounts = z.array(z.object({ value: z.string(), count: z.int().min(1) }));

const verdict = z.enum(['served', 'shadowed', 'hidden', 'quarantined', 'deleted', 'absent']);

const wayResult = z.looseObject({
  way: z.string().describe('The package or remote, such as `packages[0]`.'),
  status: z.enum(['exported', 'omitted']),
  reason: z.string().optional(),
  detail: z.string().optional(),
  path: z.string().optional(),
  rules: z.int().optional(),
  notes: z.array(z.string()).optional(),
});

const ardEntry = z.looseObject({
  identifier: z.string().describe('URN, such as `urn:air:example.com:server:weather`.'),
  displayName: z.string(),
  type: z.string().describe('Media type of the document at the URL.'),
  url: z.string(),
  description: z.string().optional(),
  tags: z.array(z.string()).optional(),
  capabilities: z.array(z.string()).optional().describe('Names of tools.'),
  representativeQueries: z.array(z.string()).optional(),
  version: z.string().optional(),
  updatedAt: time.optional(),
  metadata: z.record(z.string(), z.union([z.string(), z.boolean()])).optional(),
});

const ardPageToken = z.string().optional().describe('Token of the next page; absent on the last one.');

/** The bodies of responses, by their names in the document. */
const answers = {
  ServerList: z.object({ servers: z.array(serverResponse), metadata }),
  ServerResponse: serverResponse,
  Facets: z.object({
    total: z.int().min(0).describe('Entries of the list.'),
    facets: z
      .object({
        source: facetCounts,
        status: facetCounts,
        transport: facetCounts,
        registry_type: facetCounts,
        tag: facetCounts,
        remote: facetCounts,
        needs_secret: facetCounts,
      })
      .describe('At most 50 values per facet, largest counts first.'),
    otherCount: z
      .record(z.string(), z.int())
      .optional()
      .describe('Sum of the counts of the values that are not listed.'),
  }),
  ChangedVersions: z.object({
    updatedCount: z.int().min(1),
    servers: z.array(serverResponse).describe('The versions that changed.'),
  }),
  ValidationResult: z.object({
    valid: z.boolean(),
    issues: z.array(
      z.object({
        type: z.enum(['json', 'schema']),
        path: z
          .string()
          .describe('Path of the invalid field, such as `packages[0].version`; empty for the whole document.'),
        message: z.string(),
        severity: z.literal('error'),
        reference: z.string().describe('URL of the document that defines the rule.'),
      }),
    ),
  }),
  Problem: z.object({ error: z.string() }).describe('Error response.'),
  Health: z.object({ status: z.literal('healthy') }),
  Readiness: z.object({
    status: z.literal('ready'),
    detail: z.string().optional().describe('Problems that do not prevent requests from being answered.'),
  }),
  OfficialHealth: z.object({ status: z.literal('ok') }),
  Ping: z.object({ pong: z.literal(true) }),
  OfficialVersion: z.object({ version: z.string(), git_commit: z.string(), build_time: z.string() }),
  Version: z.object({
    version: z.string(),
    commit: z.string(),
    build_date: z.string(),
    node_version: z.string(),
    platform: z.string(),
  }),
  Registry: registry,
  ResourceMetadata: z.object({
    resource: z.url(),
    authorization_servers: z.array(z.url()).describe('Issuers of tokens, in the order in which they are tried.'),
    bearer_methods_supported: z.array(z.literal('header')),
    scopes_supported: z.array(z.string()),
  }),
  StartedSyncs: z.object({
    syncs: z.array(
      z.object({ source: z.string(), workflowId: z.string().describe('Id of the workflow in Temporal.') }),
    ),
  }),
  HookList: z.object({
    hooks: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        url: z.string().describe('Path that receives deliveries.'),
        sources: z.array(z.string()),
        lastVerified: time.optional(),
        lastRefused: z.object({ at: time, why: z.string() }).optional(),
      }),
    ),
  }),
  HookDelivery: z.object({ sources: z.array(z.string()) }),
  RegistryList: z.object({ registries: z.array(registry) }),
  Source: source,
  SourceList: z.object({ sources: z.array(source) }),
  SourceRegistryList: z.object({ registries: z.array(source) }),
  EntryList: z.object({
    entries: z.array(
      z.object({
        entryType: z.literal('server'),
        name: z.string(),
        versions: z.array(
          z.looseObject({
            version: z.string(),
            title: z.string().optional(),
            description: z.string(),
            status: z.string(),
            publishedBy: z
              .object({ provider: z.string(), subject: z.string() })
              .optional()
              .describe('Publisher of the entry; managed sources only.'),
            sha256: z.string().optional().describe('SHA-256 of the published bytes; managed sources only.'),
            hiddenBy: z.string().optional().describe('The filter rule that hides the entry.'),
            createdAt: time,
            updatedAt: time,
          }),
        ),
      }),
    ),
    metadata,
  }),
  RegistryEntryList: z.object({
    entries: z.array(
      z.looseObject({
        entryType: z.literal('server'),
        name: z.string(),
        version: z.string(),
        title: z.string().optional(),
        description: z.string(),
        createdAt: time,
        updatedAt: time,
        sourceName: z.string(),
        position: z
          .int()
          .min(0)
          .describe(
            'Position of the source in the registry. If several sources have the same name, the first one is served.',
          ),
      }),
    ),
    metadata,
  }),
  ArdProblem: z
    .object({ errorCode: z.string(), message: z.string() })
    .describe('Error response of the Agentic Resource Discovery endpoints.'),
  ArdManifest: z.object({
    specVersion: z.literal('1.0'),
    host: z.object({ displayName: z.string(), documentationUrl: z.string() }),
    entries: z.array(ardEntry).describe('The first entry is the registry itself.'),
  }),
  ArdResults: z.object({
    results: z.array(
      ardEntry.extend({
        score: z.int().min(0).max(100).describe('Relevance to the query; the best matches come first.'),
        source: z.string().describe('URL of the registry.'),
      }),
    ),
    referrals: z.array(z.never()).optional(),
    pageToken: ardPageToken,
  }),
  ArdFacets: z.object({
    resultType: z.literal('facets'),
    facets: z.record(
      z.string(),
      z.object({
        buckets: z.array(z.object({ value: z.string(), count: z.int() })),
        otherCount: z.int().optional().describe('Sum of the counts beyond the limit.'),
      }),
    ),
  }),
  ArdList: z.object({ items: z.array(ardEntry), total: z.int().min(0), pageToken: ardPageToken }),
  ArdEntry: ardEntry,
  Console: z.looseObject({
    registry: z.object({ namespace: z.string(), name: z.string(), displayName: z.string().optional() }),
    version: z.string(),
    mode: z.enum(['anonymous', 'oauth']),
    login: z
      .object({
        issuer: z.string(),
        authorizationEndpoint: z.string(),
        tokenEndpoint: z.string(),
        clientId: z.string(),
        scope: z.string().describe('Scopes to request, separated by spaces.'),
        parameters: z.record(z.string(), z.string()).describe('Additional parameters of the authorization request.'),
      })
      .nullable()
      .describe('How users sign in; null if they cannot.'),
    loginUnavailable: z.literal(true).optional().describe('The identity provider does not respond at the moment.'),
    features: z.array(z.string()).describe('Optional parts of this API that are available.'),
  }),
  ExportIndex: z.object({
    registry: z.string(),
    revision: z.string(),
    entries: z.int().min(0).describe('Number of servers before any parameter is applied.'),
    formats: z.array(
      z.object({
        id: z.string(),
        file: z.string().describe('File name that the client expects.'),
        mediaType: z.string(),
        url: z.string().describe('Path relative to this origin.'),
        purpose: z.enum(['policy', 'client', 'registry']),
        client: z.string(),
        status: z.enum(['stable', 'preview', 'deprecated']),
        verified: z.string().describe('Day on which the facts of the format were last checked.'),
        emptyBlocksEverything: z.boolean().nullable(),
        wherePut: z.string(),
        served: z.int().min(0).optional().describe('Servers in the file, once it was requested without parameters.'),
        omitted: z.int().min(0).optional().describe('Servers that are not in that file.'),
      }),
    ),
  }),
  ExportReport: z.looseObject({
    registry: z.string(),
    revision: z.string(),
    format: z.string(),
    parameters: z.record(z.string(), z.string()),
    notes: z.array(z.string()),
    entries: z.array(
      z.looseObject({
        name: z.string(),
        version: z.string(),
        shortName: z.string().optional(),
        status: z.enum(['exported', 'omitted']),
        reason: z.string().optional(),
        ways: z.array(wayResult),
      }),
    ),
  }),
  Explanation: z.looseObject({
    name: z.string(),
    served: z
      .object({ source: z.string(), latest: z.string(), versions: z.int() })
      .nullable()
      .describe('The source whose entry is served under this name; null if there is none.'),
    sources: z.array(
      z.looseObject({
        source: z.string(),
        verdict,
        by: z.string().optional().describe('The filter rule, or the source that takes precedence for this name.'),
        versions: z.array(
          z.looseObject({
            version: z.string(),
            verdict,
            by: z.string().optional(),
            until: time.optional().describe('Time at which the version was deleted.'),
            path: z.string().optional(),
            message: z.string().optional(),
            hash: z.string().optional(),
          }),
        ),
      }),
    ),
    near: z.array(z.string()).describe('At most five similar names, if the name is not served.'),
  }),
  Preview: z.object({
    counts: z.object({ added: z.int(), removed: z.int(), changed: z.int(), unchanged: z.int() }),
    changes: z
      .array(
        z.object({
          name: z.string(),
          version: z.string(),
          source: z.string(),
          change: z.enum(['added', 'removed', 'changed']),
          by: z.string().describe('The filter rule or the source that causes it.'),
        }),
      )
      .describe('At most 1000, sorted by name (code point order).'),
    unknown: z
      .array(z.object({ source: z.string(), why: z.string() }))
      .describe('Sources whose content after the edit is known only after a sync.'),
    truncated: z.boolean().describe('Whether there are more changes than are listed.'),
  }),
  Me: z.looseObject({
    subject: z.string(),
    provider: z.string().describe('Identity provider that authenticated the caller.'),
    roles: z.array(z.string()).describe('`manageEntries`: may publish, delete and start syncs.'),
  }),
  SyncRunList: z.object({
    runs: z.array(
      z.looseObject({
        workflowId: z.string(),
        url: z.url().optional().describe("Page of the run in Temporal's UI, if known."),
        trigger: z.string(),
        revision: z.string().optional(),
        startedAt: time,
        finishedAt: time,
        durationMs: z.int(),
        counts: counts.optional(),
        warning: z.string().optional(),
        failure: z.object({ reason: z.string(), message: z.string() }).optional(),
      }),
    ),
    metadata,
  }),
  QuarantineList: z.object({
    quarantine: z.array(
      z.object({
        key: z.string(),
        name: z.string().optional(),
        version: z.string().optional(),
        path: z.string().optional(),
        message: z.string(),
      }),
    ),
    metadata,
  }),
};

export type AnswerName = keyof typeof answers;

/** Returns the JSON schemas of all responses (2020-12, as in OpenAPI 3.1). */
export function answerSchemas(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(answers).map(([name, schema]) => {
      const { $schema: _, ...json } = z.toJSONSchema(schema, {
        io: 'input',
        unrepresentable: 'any',
        reused: 'inline',
      });
      return [name, json];
    }),
  );
}
