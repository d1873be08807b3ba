import { afterAll, beforeAll, beforeEach } from 'vitest';
import { findBrowser, NO_BROWSER } from './browser.js';
import { ConsoleWorld } from './console-world.js';

const executable = await findBrowser();

/**
 * Starts a console world before the tests of a file, waits until these registries are synced (default: `team`), and
 * stops it after the tests. Without a browser, the tests are skipped with a message.
 */
export function useConsoleWorld(take: (world: ConsoleWorld) => void, registries: readonly string[] = ['team']): void {
  let world: ConsoleWorld | undefined;

  beforeEach(({ skip }) => skip(executable === undefined, NO_BROWSER));

  beforeAll(async () => {
    if (executable === undefined) return;
    const started = await ConsoleWorld.start(executable);
    world = started;
    await Promise.all(registries.map((name) => started.synced(name)));
    take(started);
  });

  afterAll(() => world?.[Symbol.asyncDispose]());
}
