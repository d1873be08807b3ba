import { Context } from '@temporalio/activity';
import type { z } from 'zod';
import { isImpossible } from '#domain/clock-skew.js';
import { RegistryError } from '#domain/registry-error.js';
import { registryWorkflowId, syncWorkflowId } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { Activities, ActivityName, Site } from './contract.js';
import { toFailure } from './failure.js';
import { askedSite, INPUTS } from './inputs.js';
import type { Implementation } from './inputs.js';

export type Implementations<Names extends ActivityName> = { readonly [Name in Names]: Implementation<Name> };

/**
 * Wraps activities for registration with a worker. Each call checks its caller and its input before anything else
 * happens, and each error is converted by {@link toFailure}. `own` is the site of this process.
 */
export function guardActivities<Names extends ActivityName>(
  implementations: Implementations<Names>,
  own?: Site,
): Pick<Activities, Names> {
  const guarded = Object.entries(implementations).map(([name, run]) => [
    name,
    guard(name as ActivityName, run as (...input: unknown[]) => Promise<unknown>, own),
  ]);
  return Object.fromEntries(guarded) as Pick<Activities, Names>;
}

function guard(name: ActivityName, run: (...input: unknown[]) => Promise<unknown>, own: Site | undefined) {
  return async (...payload: unknown[]): Promise<unknown> => {
    try {
      const input = parseInput(name, payload);
      refuseStrangers(name, input[0]);
      leaveToNewerSite(askedSite(name, input), own);
      return await run(...input);
    } catch (error) {
      throw toFailure(error);
    }
  };
}

/**
 * Parses the input of an activity. Throws a RegistryError that contains the name of the invalid field but not its
 * value, because a payload from elsewhere must not be repeated in a log.
 */
function parseInput(name: ActivityName, payload: readonly unknown[]): z.output<(typeof INPUTS)[ActivityName]> {
  const parsed = INPUTS[name].safeParse(payload);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new RegistryError('InternalError', `${name} rejected its payload: ${faults.join('; ')}`, 'wait');
}

/**
 * Rejects a call unless the caller is the workflow of the registry or of the sync in question. Temporal runs one
 * workflow per id, so an impostor would have to terminate the real workflow first. Outside of a worker only our own
 * code can be the caller.
 */
function refuseStrangers(name: ActivityName, subject: RegistryRef | SyncSubject): void {
  const caller = callerId();
  if (caller === undefined) return;
  const entitled =
    'registry' in subject ? syncWorkflowId(subject.registry, subject.source, subject.run) : registryWorkflowId(subject);
  if (caller === entitled) return;
  throw new RegistryError(
    'InternalError',
    `${name} was called by workflow ${caller}, which is not ${entitled}`,
    'wait',
  );
}

const OTHER_RELEASE_RETRY_MS = 1_000;

/**
 * Fails on purpose during an upgrade, because the operator that is about to stop must not create servers. The task is
 * retried until the new operator gets it. A start in the future is forged, or the clock was wrong: no operator would ever
 * be new enough, so it is ignored.
 */
function leaveToNewerSite(asked: Site | undefined, own: Site | undefined): void {
  if (!asked || !own || asked.digest === own.digest || asked.startedAtMs <= own.startedAtMs) return;
  if (isImpossible(asked.startedAtMs, Date.now())) return;
  const message =
    'a newer operator, of another release or with other settings, has started in the meantime and must do this';
  throw new RegistryError('OtherRelease', message, 'retry', { retryAfterMs: OTHER_RELEASE_RETRY_MS });
}

interface SyncSubject {
  readonly registry: RegistryRef;
  readonly source: string;
  readonly run: number;
}

/**
 * Returns the id of the calling workflow: undefined outside of a worker, and `none` for an activity that was not
 * started by a workflow.
 */
function callerId(): string | undefined {
  let context: Context;
  try {
    context = Context.current();
  } catch {
    return undefined;
  }
  return context.info.workflowExecution?.workflowId ?? 'none';
}
