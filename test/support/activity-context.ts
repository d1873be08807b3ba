import { asyncLocalStorage, Context } from '@temporalio/activity';
import type { Info } from '@temporalio/activity';
import { registryWorkflowId } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';

/** Runs an activity of a registry as a worker does for the workflow of the registry. `signal` cancels the activity. */
export function asActivity<T>(registry: RegistryRef, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return asActivityOf(registryWorkflowId(registry), work, signal);
}

/** Runs an activity as a worker does for the workflow with this id. */
export function asActivityOf<T>(
  workflowId: string,
  work: () => Promise<T>,
  signal = new AbortController().signal,
): Promise<T> {
  const info = { workflowExecution: { workflowId, runId: 'r' } } as unknown as Info;
  const unused = undefined as never;
  const never = new Promise<never>(() => undefined);
  const context = new Context(info, never, signal, () => undefined, undefined, unused, unused, {});
  return asyncLocalStorage.run(context, work);
}
