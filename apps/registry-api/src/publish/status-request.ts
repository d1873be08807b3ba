import { parseJson } from '#domain/parse-json.js';
import { z } from 'zod';
import { LIFECYCLE_STATUSES } from '#persistence/managed-entries.js';
import type { StatusChange } from '#persistence/managed-entries.js';
import { formatPath } from '#domain/field-path.js';
import { explainIssue } from '#domain/zod-wording.js';
import { Refusal } from '../refusal.js';

const MAX_MESSAGE = 500;

/** The body of a status change, as in the generic registry API. */
export const statusRequestSchema = z.strictObject({
  status: z
    .enum(LIFECYCLE_STATUSES)
    .describe('The new status. deleted leaves a tombstone; active restores the version.'),
  statusMessage: z
    .string()
    .min(1)
    .max(MAX_MESSAGE)
    .refine((text) => !text.includes('\0'), 'must not contain a NUL')
    .optional()
    .describe('Reason for people to read; not allowed with status active.'),
});

/** Reads the body of a status change; throws Refusal. */
export function readStatusRequest(body: Buffer): StatusChange {
  const given = parseJson(body.toString());
  if (given === undefined) throw new Refusal('malformed', 'the body is not valid JSON');
  const { data, error } = statusRequestSchema.safeParse(given, { error: explainIssue });
  if (error) {
    const faults = error.issues.map(({ path, message }) => `${formatPath(path) || 'the body'} ${message}`);
    throw new Refusal('malformed', faults.join('; '));
  }
  const { status, statusMessage } = data;
  if (status === 'active' && statusMessage !== undefined) {
    throw new Refusal('malformed', 'statusMessage must be left out for status active, which needs no reason');
  }
  return { status, statusMessage: statusMessage ?? null };
}
