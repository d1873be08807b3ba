import { z } from 'zod';
import { isImpossible } from '#domain/clock-skew.js';
import { NOTICE_REASONS } from '#domain/notice.js';
import { REASONS } from '#domain/reasons.js';
import { isRegistryUid } from '#domain/registry-ref.js';
import type { RegistryUid } from '#domain/registry-ref.js';
import { sourceName } from '#domain/spec-fields.js';
import { SYNC_TRIGGERS } from '#domain/sync.js';
import type { Activities, ActivityName, Site } from './contract.js';

/**
 * The input schemas of the activities. Anybody with access to the Temporal namespace can send a payload, so a payload
 * is only a hint: its shape is checked here, and each activity reads the data that it acts on from its own store.
 */

const NAME_LIMIT = 253;
const TEXT_LIMIT = 16_384;
const REVISION_LIMIT = 256;
const LIST_LIMIT = 200;
const YEAR_2020_MS = Date.UTC(2020);

/** A string for people. A long one is truncated rather than rejected, because no decision depends on it. */
const text = z.string().transform((value) => value.slice(0, TEXT_LIMIT));

/** A single line without control characters, such as a hash or a revision. */
const token = z
  .string()
  .min(1)
  .max(REVISION_LIMIT)
  .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters');

const count = z.int().min(0);

const pastMs = z
  .number()
  .min(YEAR_2020_MS, 'must be later than the year 2020')
  .refine((ms) => !isImpossible(ms, Date.now()), 'must not be in the future');

const objectName = z
  .string()
  .max(NAME_LIMIT)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/i, 'must be the name of a Kubernetes object');

const registry = z.object({
  namespace: objectName,
  name: objectName,
  uid: z.string().refine((uid): uid is RegistryUid => isRegistryUid(uid), 'must be a lower-case UUID'),
});

const generation = z.int().min(0);
const trigger = z.enum(SYNC_TRIGGERS);

/**
 * Runs are numbered from 1 or, after a workflow was lost, from the seconds since 1970. A much higher number is forged.
 */
const RUNS_AHEAD = 1_000_000;

const runNumber = z
  .int()
  .min(1)
  .refine((run) => run <= Date.now() / 1_000 + RUNS_AHEAD, 'must be the number of a run');

const syncRequest = z.object({
  registry,
  source: sourceName,
  address: text,
  run: runNumber,
  trigger,
  store: z.object({ id: token, taskQueue: z.string().max(1024), heartbeatTimeoutMs: count.exactOptional() }),
  mayBeEmpty: z.literal(true).exactOptional(),
  refilter: z.literal(true).exactOptional(),
  triggerToken: z.string().max(TEXT_LIMIT).exactOptional(),
});

const resolvedRevision = z.object({
  revision: token,
  label: text,
  changesOnly: z.literal(true).exactOptional(),
  unchanged: z.boolean(),
});

const notice = z.object({ reason: z.enum(NOTICE_REASONS), message: text });

const counts = z.object({
  served: count,
  hidden: count,
  quarantined: count,
  added: count,
  updated: count,
  removed: count,
  unchanged: count,
  nullsDropped: count.exactOptional(),
  versionsAssumed: count.exactOptional(),
});

const outcome = z
  .object({
    source: sourceName,
    run: runNumber,
    storeId: token,
    trigger,
    startedAt: pastMs,
    finishedAt: pastMs,
    revision: token.exactOptional(),
    contentHash: token.exactOptional(),
    counts: counts.exactOptional(),
    notice: notice.exactOptional(),
    failure: z
      .object({
        reason: z.enum(REASONS),
        message: text,
        destiny: z.enum(['retry', 'wait', 'stop']),
        notice: z.enum(NOTICE_REASONS).exactOptional(),
      })
      .exactOptional(),
  })
  .refine(({ startedAt, finishedAt }) => startedAt <= finishedAt, 'must not end before it starts');

const sourceFacts = z.object({
  name: sourceName,
  builtIn: z.literal(true).exactOptional(),
  running: z.object({ sinceMs: pastMs, manual: z.boolean() }).exactOptional(),
  lastAttemptAtMs: pastMs.exactOptional(),
  attemptCount: count,
  lastSyncAtMs: pastMs.exactOptional(),
  lastSyncHash: token.exactOptional(),
  revision: token.exactOptional(),
  serverCount: count.exactOptional(),
  quarantined: count.exactOptional(),
  quarantinedEntries: z.array(text).max(LIST_LIMIT).exactOptional(),
  filterHash: token.exactOptional(),
  notices: z.array(notice).max(LIST_LIMIT).exactOptional(),
  failure: z.object({ reason: z.enum(REASONS), message: text }).exactOptional(),
  nextSyncAtMs: z.number().min(YEAR_2020_MS).exactOptional(),
});

const serverFacts = z.object({
  endpoint: text,
  podTemplate: z.boolean(),
  provisioned: z.boolean(),
  podHash: token.exactOptional(),
  failure: z
    .object({ reason: z.enum(REASONS), message: text, notice: z.enum(NOTICE_REASONS).exactOptional() })
    .exactOptional(),
  delayed: z.object({ pod: objectName, reason: z.enum(REASONS), message: text }).exactOptional(),
  warnings: z.array(notice).max(LIST_LIMIT),
});

const facts = z.object({
  generation,
  deleting: z.boolean(),
  notices: z.array(notice).max(LIST_LIMIT).exactOptional(),
  serving: z.boolean(),
  handledTrigger: z.string().exactOptional(),
  sources: z.array(sourceFacts).max(LIST_LIMIT),
  server: serverFacts.exactOptional(),
});

const site = z.object({ digest: token, startedAtMs: z.number().min(YEAR_2020_MS) });

const ofRegistry = z.tuple([registry]);
/** The input of activities that must run in a process of the given site or of a newer one. */
const ofSite = z.tuple([registry, site.optional()]);
const ofSync = z.tuple([syncRequest]);

/**
 * The schema of every activity. An activity without a schema does not compile, and an activity that is not listed here
 * does not run.
 */
export const INPUTS = {
  readDesiredState: ofSite,
  reportStatus: z.tuple([registry, facts]),
  tearDown: ofRegistry,
  ensureServer: ofSite,
  findContenders: ofRegistry,
  adoptPlan: z.tuple([registry, generation]),
  applyFilter: ofSync,
  resolveRevision: ofSync,
  importRevision: z.tuple([syncRequest, resolvedRevision]),
  recordSyncRun: z.tuple([syncRequest, outcome]),
} satisfies Record<ActivityName, z.ZodType>;

/** The signature of an activity's implementation, whose input has already been validated. */
export type Implementation<Name extends ActivityName> = (
  ...input: z.output<(typeof INPUTS)[Name]>
) => ReturnType<Activities[Name]>;

/** Returns the site that a payload requires; undefined for an activity that may run in any process. */
export function askedSite(name: ActivityName, input: readonly unknown[]): Site | undefined {
  return (INPUTS[name] as z.ZodType) === ofSite ? (input[1] as Site | undefined) : undefined;
}
