import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import '#support/quiet-temporal.js';
import { builtWorkflowBundle } from '#temporal/workflow-bundle.js';

const HISTORIES = new URL('../histories/', import.meta.url);
const recorded = readdirSync(HISTORIES).filter((name) => name.endsWith('.json'));

/** Workflows outlive releases, so this version must be able to continue what an earlier version started. */
describe('recorded histories', () => {
  it('exist, one of them continued as new', () => {
    expect(recorded).toContain('registry-continued.json');
    expect(read('registry-continued.json')).toContain('EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW');
  });

  it.each(recorded)('%s is replayed without a difference', async (name) => {
    const history = JSON.parse(read(name)) as {
      events: { workflowExecutionStartedEventAttributes: { workflowId: string } }[];
    };
    const id = history.events[0]?.workflowExecutionStartedEventAttributes.workflowId;
    const replayed = Worker.runReplayHistory({ workflowBundle: builtWorkflowBundle() }, history, id);
    await expect(replayed).resolves.toBeUndefined();
  });

  it('differ from a workflow with other decisions', async () => {
    const tampered = read('sync-succeeded.json').replaceAll('resolveRevision', 'someOtherActivity');
    await expect(
      Worker.runReplayHistory({ workflowBundle: builtWorkflowBundle() }, JSON.parse(tampered)),
    ).rejects.toThrow(/[Nn]on-?determinis/);
  });
});

function read(name: string): string {
  return readFileSync(new URL(name, HISTORIES), 'utf8');
}
