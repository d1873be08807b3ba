import { Context } from '@temporalio/activity';
import type { z } from 'zod';
import { RegistryError } from '#domain/registry-error.js';
import { registryWorkflowId, syncWorkflowId } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { Activities, ActivityName, Site } from './contract.js';
import { toFailure } from './failure.js';
import { askedSite, INPUTS } from './inputs.js';
import type { Implementation } from './inputs.js';

export type Implementations<Names extends ActivityName> = { readonly [Name in Names]: Implementation<Name> };

/**
 * Makes activities that may be registered with a worker: each checks who calls it and what it is given before anything
 * happens, and each error leaves through {@link toFailure}. `own` is the site of this process.
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

/** Throws a RegistryError that names the field, not its value: a payload of a stranger is nothing to repeat in a log. */
function parseInput(name: ActivityName, payload: readonly unknown[]): z.output<(typeof INPUTS)[ActivityName]> {
  const parsed = INPUTS[name].safeParse(payload);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new RegistryError('InternalError', `${name} refused its payload: ${faults.join('; ')}`, 'wait');
}

/**
 * Lets only the workflow of the registry, or the sync in question, call an activity. Temporal runs one workflow per id, so a
 * stranger has to end the true one first. Outside of a worker there is no caller but our own code.
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

/** During an upgrade the operator that is about to end must not make servers: the task is retried until the new one gets it. */
function leaveToNewerSite(asked: Site | undefined, own: Site | undefined): void {
  if (!asked || !own || asked.digest === own.digest || asked.startedAtMs <= own.startedAtMs) return;
  const message = 'an operator of another release or with other settings has started since: it has to do this';
  throw new RegistryError('OtherRelease', message, 'retry', { retryAfterMs: OTHER_RELEASE_RETRY_MS });
}

interface SyncSubject {
  readonly registry: RegistryRef;
  readonly source: string;
  readonly run: number;
}

/** Undefined outside of a worker; an activity that no workflow has started is a stranger's. */
function callerId(): string | undefined {
  let context: Context;
  try {
    context = Context.current();
  } catch {
    return undefined;
  }
  return context.info.workflowExecution?.workflowId ?? 'none';
}
