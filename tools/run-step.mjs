// Runs with whatever Node the machine has, before anything is installed: keep it plain and old-fashioned.
import { spawn } from 'node:child_process';

/** A command that ignores the signal for this long is killed. */
const PATIENCE_MS = 3000;
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/**
 * Runs a command, says what it is for, and goes on saying so every few seconds. Resolves to its exit code. A signal ends
 * the command and all that it started, and then this process, so that no process is left that would still write.
 */
export function runStep(text, command, args) {
  const startedAt = Date.now();
  process.stderr.write(`${text}\n`);
  const tick = setInterval(() => {
    process.stderr.write(`${text} (${Math.round((Date.now() - startedAt) / 1000)}s)\n`);
  }, 4000);
  return new Promise((resolve) => {
    // Listens before the command can run: otherwise a signal that comes in between would end this process alone.
    const endOnSignal = listenForSignals();
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
      // With a group of its own it gets a signal of the terminal from us only, once and with all its children.
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

/** Catches signals from now on. Returns a function that names the child which they end. */
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
    // The process group is gone already.
  }
}
