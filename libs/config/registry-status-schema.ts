import { z } from 'zod';
import { listedBy } from '#domain/admission-rule.js';
import type { Notice } from '#domain/notice.js';
import type { ApiStatus, Condition, RegistryStatus, SourceStatus, SyncStatus } from '#domain/status/registry-status.js';

/** A schema for each field of a type: the API server refuses a status field that its CRD does not know. */
type Fields<T> = { readonly [Field in keyof T]-?: z.ZodType<T[Field]> };

const time = z.string().meta({ format: 'date-time' });
const count = z.int().min(0);

const condition = z.object({
  type: z.enum(['Ready', 'APIReady', 'SourceAvailable', 'DataValid', 'SyncSuccessful', 'PodTemplateValid']),
  status: z.enum(['True', 'False', 'Unknown']),
  // Any text to the API server, so that a new reason needs no new CRD.
  reason: z.string() as unknown as z.ZodType<Condition['reason']>,
  message: z.string(),
  observedGeneration: count.describe('The generation that the condition is about.'),
  lastTransitionTime: time.describe('When the status of the condition last changed.'),
} satisfies Fields<Condition>);

const notice = z.object({
  reason: z.string().describe('As of the Event that says the same.') as unknown as z.ZodType<Notice['reason']>,
  message: z.string(),
} satisfies Fields<Notice>);

const progress = {
  phase: z
    .enum(['Syncing', 'Complete', 'Failed'])
    .exactOptional()
    .describe('Absent until the first attempt has begun.'),
  message: z.string().exactOptional(),
  lastAttempt: time.exactOptional().describe('When the last attempt began.'),
  attemptCount: count.describe('Failed attempts since the last success.'),
  lastSyncTime: time.exactOptional().describe('When the data that is served was synced.'),
  lastSyncHash: z.string().exactOptional().describe('Hash of that data.'),
  serverCount: count.exactOptional().describe('Servers that are served.'),
};

const sourceStatus = z.object({
  name: z.string(),
  ...progress,
  quarantined: count.exactOptional().describe('Entries that cannot be served as they are.'),
  revision: z.string().exactOptional().describe('A commit, a content hash: as the source names what it holds.'),
  nextSyncTime: time.exactOptional(),
} satisfies Fields<SourceStatus>);

const syncStatus = z.object({
  ...progress,
  sources: z.array(sourceStatus).meta(listedBy('name')),
} satisfies Fields<SyncStatus>);

const apiStatus = z.object({
  phase: z.enum(['NotStarted', 'Deploying', 'Ready', 'Unhealthy', 'Error']),
  message: z.string(),
  endpoint: z.string().exactOptional().describe('URL of the registry inside the cluster, while it is ready.'),
  readySince: time.exactOptional().describe('When it last became ready.'),
} satisfies Fields<ApiStatus>);

/** `status` of an MCPRegistry, for the CRD; the type itself is that of the domain. */
export const registryStatusSchema = z.object({
  phase: z.enum(['Pending', 'Ready', 'Syncing', 'Failed', 'Terminating']),
  message: z.string(),
  observedGeneration: count.describe('The generation of the spec that the status is about.'),
  conditions: z.array(condition).meta(listedBy('type')),
  syncStatus: syncStatus.exactOptional().describe('All sources together: the worst phase, the sum of servers.'),
  apiStatus: apiStatus.exactOptional().describe('The server of the registry.'),
  url: z.string().exactOptional().describe('URL of the registry inside the cluster.'),
  readyReplicas: count.exactOptional().describe('Pods that are ready.'),
  lastAppliedFilterHash: z.string().exactOptional().describe('Hash of the filters that the served data went through.'),
  lastManualSyncTrigger: z.string().exactOptional().describe('The sync trigger that was handled last.'),
  notices: z
    .array(notice)
    .exactOptional()
    .describe('What somebody should know although it keeps nothing from being followed.'),
} satisfies Fields<RegistryStatus>);
