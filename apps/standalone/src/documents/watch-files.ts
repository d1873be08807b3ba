import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isManifestName, listFiles } from './read-manifests.js';

const POLL_MS = 1000;

/** Debounce interval, long enough for an editor to write a new file and rename it over the old one. */
const QUIET_MS = 200;

/**
 * Calls back shortly after something below the paths may have changed, one call at a time. A call without a change is
 * harmless, and a failed call is repeated. Kernel notifications make it fast. Polling covers network file systems,
 * which send none, and directories that are replaced, whose notifications are lost.
 */
export class FileWatcher {
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly closing = new AbortController();
  private readonly polling: Promise<void>;
  private due: NodeJS.Timeout | undefined;
  private calls: Promise<void> = Promise.resolve();
  private fingerprint: string | undefined;

  private readonly paths: readonly string[];
  private readonly onChange: () => Promise<void>;

  constructor(paths: readonly string[], onChange: () => Promise<void>) {
    this.paths = paths;
    this.onChange = onChange;
    this.polling = this.poll();
  }

  /** Resolves when no call is running and none will follow. */
  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.due);
    await this.polling;
    for (const watcher of this.watchers.values()) watcher.close();
    await this.calls;
  }

  private async poll(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      await this.listen();
      const fingerprint = await fingerprintOf(this.paths);
      if (fingerprint !== this.fingerprint) this.changed();
      this.fingerprint = fingerprint;
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
  }

  private changed(): void {
    if (this.closing.signal.aborted) return;
    this.due ??= setTimeout(() => {
      this.due = undefined;
      this.calls = this.calls.then(this.onChange).catch(() => {
        this.fingerprint = undefined;
      });
    }, QUIET_MS);
  }

  /**
   * Watches the directories of the paths. For a file, its directory is watched, because a rename over the file replaces
   * it by another one.
   */
  private async listen(): Promise<void> {
    const named = new Set(this.paths.map((path) => basename(path)));
    for (const path of this.paths) {
      const directory = (await stat(path).catch(() => undefined))?.isDirectory() ? path : dirname(path);
      if (this.watchers.has(directory)) continue;
      try {
        const watcher = watch(directory, (_, name) => {
          if (name === null || isManifestName(name) || named.has(name)) this.changed();
        });
        watcher.on('error', () => this.forget(directory));
        this.watchers.set(directory, watcher);
      } catch {
        // The path does not exist at the moment, or the system has no more watches. Polling continues.
      }
    }
  }

  private forget(directory: string): void {
    this.watchers.get(directory)?.close();
    this.watchers.delete(directory);
  }
}

/** Returns a value that changes when a file was added, removed, replaced or written. */
async function fingerprintOf(paths: readonly string[]): Promise<string> {
  const files = await listFiles(paths);
  const parts = await Promise.all(
    files.map(async ({ path }) => {
      const found = await stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => error.code);
      if (typeof found !== 'object') return [path, found];
      return [path, found.ino, found.size, found.mtimeNs, found.ctimeNs].map(String);
    }),
  );
  return JSON.stringify(parts);
}
