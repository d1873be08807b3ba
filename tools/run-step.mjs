// Runs on any Node version, before anything is installed, so keep the syntax plain and old-fashioned.
import { spawn } from 'node:child_process';

/** A command that has not exited this long after a signal is killed. */
const PATIENCE_MS = 3000;
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/**
 * Runs a command, prints its purpose and repeats it every few seconds. Resolves to the exit code. A signal stops the
 * command and everything that it started, and then this process, so that no process that could still write is left.
 */
export function runStep(text, command, args) {
  const startedAt = Date.now();
  process.stderr.write(`${text}\n`);
  const tick = setInterval(() => {
    process.stderr.write(`${text} (${Math.round((Date.now() - startedAt) / 1000)}s)\n`);
  }, 4000);
  return new Promise((resolve) => {
    // Listen before the command can run. Otherwise, a signal in between would stop only this process.
    const endOnSignal = listenForSignals();
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
      // In a process group of its own, the command gets a terminal signal only from us: once, together with all its
      // children.
      detached: process.platform !== 'win32',
    });
    endOnSignal(child);
    child.on('error', (error) => {
      process.stderr.write(`error: cannot run ${command}: ${error.message}\n`);
      resolve(1);
    });
    child.on('close', (code) => resolve(code === null ? 1 : code));
  }).finally(() => clearInterval(tick));
}

/** Starts to catch signals. Returns a function that sets the child process to stop when a signal arrives. */
function listenForSignals() {
  let child;
  let exitCode;
  const listeners = Object.keys(SIGNALS).map((signal) => [signal, () => end(signal)]);
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return (started) => {
    child = started;
    child.on('exit', () => {
      if (exitCode === undefined) {
        for (const [signal, listener] of listeners) process.removeListener(signal, listener);
      } else {
        signalGroup(child, 'SIGKILL');
        process.exit(exitCode);
      }
    });
  };

  function end(signal) {
    if (exitCode !== undefined) return;
    exitCode = 128 + SIGNALS[signal];
    signalGroup(child, signal);
    setTimeout(() => signalGroup(child, 'SIGKILL'), PATIENCE_MS);
  }
}

function signalGroup(child, signal) {
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal);
  } catch {
    // The process group has exited already.
  }
}
