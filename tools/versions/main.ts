import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { projectRoot } from '#environment/project-root.js';
import { kubeApiServer, kubernetesVersions } from '#devstack/kube-apiserver.js';
import type { KubernetesVersion } from '#devstack/kube-apiserver.js';
import { obtain } from '#devstack/obtain-tool.js';
import { createProgress } from '#devstack/progress.js';
import { formatTable } from '../bench/bench-table.js';
import { apiServerTests } from './api-server-tests.js';

const ROOT = fileURLToPath(projectRoot);

interface Outcome {
  /** The version that the server reports. */
  readonly server: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly remark?: string;
}

/**
 * `npm run test:versions [-- VERSION...]`: runs the tests that need an API server on each supported version of
 * Kubernetes.
 */
async function main(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.filter((version) => !kubernetesVersions.includes(version as KubernetesVersion));
  if (unknown.length > 0) {
    process.stderr.write(`error: there is no ${unknown.join(' or ')}: choose from ${kubernetesVersions.join(', ')}\n`);
    return 2;
  }
  const versions = wanted.length > 0 ? (wanted as KubernetesVersion[]) : kubernetesVersions;
  const files = await apiServerTests(ROOT);
  const outcomes: Outcome[] = [];
  for (const version of versions) outcomes.push(await test(version, files));

  const sum = (count: (outcome: Outcome) => number) => outcomes.map(count).reduce((a, b) => a + b, 0);
  const table = {
    title: `\nThe ${files.length} files with tests that need an API server, on each version of Kubernetes`,
    head: ['version', 'kube-apiserver', 'passed', 'failed', 'seconds', ''],
    rows: outcomes.map(({ server, passed, failed, seconds, remark = '' }, index) => [
      versions[index]!,
      server,
      passed,
      failed,
      seconds,
      remark,
    ]),
  };
  process.stdout.write(`${formatTable(table)}\n`);
  process.stdout.write(`${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed\n`);
  return outcomes.every(({ passed, failed }) => passed > 0 && failed === 0) ? 0 : 1;
}

/** Runs the tests on one version. A version that cannot be obtained counts as failed. */
async function test(version: KubernetesVersion, files: readonly string[]): Promise<Outcome> {
  const progress = createProgress();
  let path: string;
  try {
    path = await obtain(kubeApiServer(version), { progress, signal: new AbortController().signal });
  } catch (error) {
    progress.done();
    process.stderr.write(`${(error as Error).message}\n`);
    return { server: '–', passed: 0, failed: 1, seconds: 0, remark: 'cannot be obtained: see above' };
  }
  progress.done();
  const { stdout } = await promisify(execFile)(path, ['--version']);
  const server = stdout.trim().replace('Kubernetes ', '');
  process.stdout.write(`\nKubernetes ${version}: ${path}, ${server}\n`);

  const startedAtMs = performance.now();
  const vitest = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--project', 'integration', ...files],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, DEVSTACK_KUBE_APISERVER: path } },
  );
  vitest.stdout.pipe(process.stdout, { end: false });
  const [said, [code]] = await Promise.all([text(vitest.stdout), once(vitest, 'exit')]);
  const [, passed = '0', failed = '0'] = [...said.matchAll(/^(\d+) passed, (\d+) failed/gm)].at(-1) ?? [];
  const seconds = Math.round((performance.now() - startedAtMs) / 1000);
  // A non-zero exit code counts as a failure, even if no test failed.
  const failures = Math.max(Number(failed), code === 0 ? 0 : 1);
  return { server, passed: Number(passed), failed: failures, seconds };
}

process.exitCode = await main(process.argv.slice(2));
