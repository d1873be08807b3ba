import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

const TESTS = 'test/integration';
const SUPPORT = 'test/support';
/** The helpers that start an API server. Every test that imports one of them needs an API server. */
const API_SERVERS = ['shared-api-server.ts', 'api-server.ts'].map((name) => join(SUPPORT, name));

/** Returns the test files, relative to `root`, that need an API server, directly or through their helpers. */
export async function apiServerTests(root: string): Promise<string[]> {
  const files = (await readdir(join(root, TESTS))).filter((name) => name.endsWith('.test.ts'));
  const needing: string[] = [];
  for (const file of files.sort().map((name) => join(TESTS, name))) {
    if (await reaches(root, file, new Set())) needing.push(file);
  }
  return needing;
}

async function reaches(root: string, file: string, seen: Set<string>): Promise<boolean> {
  if (API_SERVERS.includes(file)) return true;
  if (seen.has(file)) return false;
  seen.add(file);
  const text = await readFile(join(root, file), 'utf8');
  for (const [, path = ''] of text.matchAll(
    /^(?:import(?! type)|export(?! type)|\} from)\b.*'((?:#support|\.\.?)\/[^']+)\.js';$/gm,
  )) {
    const imported = path.startsWith('#support/')
      ? join(SUPPORT, path.slice('#support/'.length))
      : join(file, '..', path);
    const source = `${relative('.', imported)}.ts`;
    if (existsSync(join(root, source)) && (await reaches(root, source, seen))) return true;
  }
  return false;
}
