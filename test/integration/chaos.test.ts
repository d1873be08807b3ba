import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '#environment/project-root.js';

/** Longer than all timeouts of the tool together, so that the tool itself reports what did not happen. */
const PATIENCE_MS = 20 * 60_000;
const CHAOS = fileURLToPath(new URL('dist/tools/chaos/main.js', projectRoot));

/** A short run. `npm run chaos` takes an hour, with 200 registries. */
it('survives every kind of fault, and recovers from all of them', { timeout: PATIENCE_MS }, async () => {
  const args = ['--minutes=0', '--registries=5', '--servers=4', `--seed=${process.env['CHAOS_SEED'] ?? 1}`];
  const child = spawn(process.execPath, [CHAOS, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  // On SIGTERM, the tool stops everything that it has started.
  onTestFinished(() => void child.kill('SIGTERM'));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  // Compare the whole output, because it shows which check failed.
  expect(output, errors).toContain('every check passed');
  expect(child.exitCode).toBe(0);
});
