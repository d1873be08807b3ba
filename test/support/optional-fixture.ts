import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Kept beside the checkout where this project is developed, and nowhere else. */
const FIXTURES = new URL('../../../shared/fixtures/', import.meta.url).pathname;

/** The path of a fixture that may be there or not; tests that need it are skipped without it. */
export function fixturePath(name: string): string | undefined {
  const path = join(FIXTURES, name);
  return existsSync(path) ? path : undefined;
}

export function readFixture(name: string): string | undefined {
  const path = fixturePath(name);
  return path === undefined ? undefined : readFileSync(path, 'utf8');
}
