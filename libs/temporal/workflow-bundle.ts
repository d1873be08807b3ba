import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { projectRoot } from '#environment/project-root.js';

const ENTRY = fileURLToPath(new URL('workflows/index.ts', projectRoot));
const BUNDLE = fileURLToPath(new URL('dist/workflow-bundle.js', projectRoot));

/** Bundles the workflow code. This is the only place that does so, both for the build and for tests. */
export function bundleWorkflows(workflowsPath = ENTRY): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath,
    // Without this condition, the bundler would use the output of an earlier build in dist.
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, conditionNames: ['source', '...'] },
    }),
    logger: silent,
  });
}

export async function writeWorkflowBundle(): Promise<void> {
  const { code } = await bundleWorkflows();
  await mkdir(dirname(BUNDLE), { recursive: true });
  await writeFile(BUNDLE, code);
}

/**
 * Returns the path of the prebuilt bundle. A worker that gets this path starts faster than one that creates the bundle
 * itself.
 */
export function builtWorkflowBundle(): { codePath: string } {
  if (!existsSync(BUNDLE)) throw new Error('the workflows are not bundled yet: run "npm run build"');
  return { codePath: BUNDLE };
}

const quiet = (): void => undefined;
const silent = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
