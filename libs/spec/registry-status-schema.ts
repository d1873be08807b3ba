import { z } from 'zod';
import { listedBy } from '#domain/admission-rule.js';
import type { Notice } from '#domain/notice.js';
import type {
  ApiStatus,
  Condition,
  ReadersStatus,
  RegistryStatus,
  SourceStatus,
  SyncStatus,
} from '#domain/status/registry-status.js';

/**
 * A schema for each field of a type. All fields are required here, because the API server rejects a status field that
 * its CRD does not define.
 */
type Fields<T> = { readonly [Field in keyof T]-?: z.ZodType<T[Field]> };

const time = z.string().meta({ format: 'date-time' });
const count = z.int().min(0);

const condition = z.object({
  type: z.enum(['Ready', 'APIReady', 'SourceAvailable', 'DataValid', 'SyncSuccessful', 'PodTemplateValid']),
  status: z.enum(['True', 'False', 'Unknown']),
  // The API server accepts any string, so that a new reason does not require a new CRD.
  reason: z.string() as unknown as z.ZodType<Condition['reason']>,
  message: z.string(),
  observedGeneration: count.describe('observedGeneration is the generation of the spec that this condition describes.'),
  lastTransitionTime: time.describe('lastTransitionTime is the time when the status of the condition last changed.'),
} satisfies Fields<Condition>);

const notice = z.object({
  reason: z.string().describe('reason is that of the Event with the same message.') as unknown as z.ZodType<
    Notice['reason']
  >,
  message: z.string(),
} satisfies Fields<Notice>);

const progress = {
  phase: z
    .enum(['Syncing', 'Complete', 'Failed'])
    .exactOptional()
    .describe('phase is absent until the first attempt has begun.'),
  message: z.string().exactOptional(),
  lastAttempt: time.exactOptional().describe('lastAttempt is the time when the last attempt began.'),
  attemptCount: count.describe('attemptCount is the number of failed attempts since the last success.'),
  lastSyncTime: time.exactOptional().describe('lastSyncTime is the time when the served data was synced.'),
  lastSyncHash: z.string().exactOptional().describe('lastSyncHash is the hash of the served data.'),
  serverCount: count.exactOptional().describe('serverCount is the number of servers that are served.'),
};

const sourceStatus = z.object({
  name: z.string(),
  ...progress,
  reason: z
    .string()
    .exactOptional()
    .describe(
      'reason is that of the failure or of the first notice; PartiallyValid with entries in quarantine; otherwise SyncComplete or Pending.',
    ) as unknown as z.ZodType<SourceStatus['reason']>,
  quarantined: count
    .exactOptional()
    .describe('quarantined is the number of entries that cannot be served as they are.'),
  revision: z
    .string()
    .exactOptional()
    .describe('revision identifies the content of the source, such as a commit or a content hash.'),
  nextSyncTime: time.exactOptional(),
} satisfies Fields<SourceStatus>);

const syncStatus = z.object({
  ...progress,
  sources: z.array(sourceStatus).meta(listedBy('name')),
} satisfies Fields<SyncStatus>);

const apiStatus = z.object({
  phase: z.enum(['NotStarted', 'Deploying', 'Ready', 'Unhealthy', 'Error']),
  message: z.string(),
  endpoint: z
    .string()
    .exactOptional()
    .describe('endpoint is the URL of the registry inside the cluster while it is ready.'),
  readySince: time.exactOptional().describe('readySince is the time when the server last became ready.'),
} satisfies Fields<ApiStatus>);

const readers = z.object({
  replicas: count.describe('replicas is the number of pods.'),
  readyReplicas: count.describe('readyReplicas is the number of ready pods.'),
  selector: z.string().describe('selector is the label selector of the pods, as autoscalers read it.'),
} satisfies Fields<ReadersStatus>);

/** `status` of an MCPRegistry for the CRD. The type itself is defined in the domain. */
export const registryStatusSchema = z.object({
  phase: z.enum(['Pending', 'Ready', 'Syncing', 'Failed', 'Terminating']),
  message: z.string(),
  observedGeneration: count.describe('observedGeneration is the generation of the spec that this status describes.'),
  conditions: z.array(condition).meta(listedBy('type')),
  syncStatus: syncStatus
    .exactOptional()
    .describe('syncStatus summarizes all sources: the worst phase and the total number of servers.'),
  apiStatus: apiStatus.exactOptional().describe('apiStatus is the state of the registry server.'),
  url: z.string().exactOptional().describe('url is the URL of the registry inside the cluster.'),
  readyReplicas: count.exactOptional().describe('readyReplicas is the number of ready pods.'),
  readers: readers.exactOptional().describe('readers is the state of the read-only servers.'),
  lastAppliedFilterHash: z
    .string()
    .exactOptional()
    .describe('lastAppliedFilterHash is the hash of the filters that were applied to the served data.'),
  lastManualSyncTrigger: z
    .string()
    .exactOptional()
    .describe('lastManualSyncTrigger is the sync trigger that was handled last.'),
  notices: z
    .array(notice)
    .exactOptional()
    .describe('notices are remarks that do not prevent the spec from taking effect.'),
} satisfies Fields<RegistryStatus>);
