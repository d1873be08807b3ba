import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folder beside the checkout. It exists only where this project is developed. */
const FIXTURES = new URL('../../../shared/fixtures/', import.meta.url).pathname;

/** Returns the path of an optional fixture. Tests that need the fixture are skipped if it does not exist. */
export function fixturePath(name: string): string | undefined {
  const path = join(FIXTURES, name);
  return existsSync(path) ? path : undefined;
}

export function readFixture(name: string): string | undefined {
  const path = fixturePath(name);
  return path === undefined ? undefined : readFileSync(path, 'utf8');
}
