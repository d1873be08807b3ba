// Runs with whatever Node the machine has, before anything is installed: keep it plain and old-fashioned.
import { spawn } from 'node:child_process';

/** Runs a command, says what it is for, and goes on saying so every few seconds. Resolves to its exit code. */
export function runStep(text, command, args) {
  const startedAt = Date.now();
  process.stderr.write(`${text}\n`);
  const tick = setInterval(() => {
    process.stderr.write(`${text} (${Math.round((Date.now() - startedAt) / 1000)}s)\n`);
  }, 4000);
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    });
    child.on('error', (error) => {
      process.stderr.write(`error: cannot run ${command}: ${error.message}\n`);
      resolve(1);
    });
    child.on('close', (code) => resolve(code === null ? 1 : code));
  }).finally(() => clearInterval(tick));
}
