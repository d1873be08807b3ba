import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { serverSources, sources } from '#sources/index.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const isProduction = (file: string) => !/\.test\.ts$|\/testing\//.test(file);

/** Returns the lines of production code that match, as `file:line`. */
function find(pattern: RegExp): Promise<string[]> {
  return findIn('{apps,workflows,activities,libs}/**/*.ts', pattern, isProduction);
}

async function findIn(files: string, pattern: RegExp, includes = (_file: string) => true): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob(files, { cwd: ROOT })) {
    if (!includes(file)) continue;
    const lines = (await readFile(`${ROOT}/${file}`, 'utf8')).split('\n');
    lines.forEach((line, at) => pattern.test(line) && found.push(`${file}:${at + 1}`));
  }
  return found;
}

/** `new URL` throws at targets such as `//`, inside a listener where nothing catches. */
it('parses no request target by `new URL`: compare paths, or take them from the router', async () => {
  const target = /new URL\([^)]*\b(req|request|message|incoming|raw)\b[\w.!?()]*\.(url|originalUrl)\b/;
  expect(target.test("const { pathname } = new URL(request.url ?? '/', 'http://x');")).toBe(true);
  expect(await find(target)).toEqual([]);
});

/** A listener that is not in this list has to be added to `test/integration/hostile-packets.test.ts`, or to a test like it. */
it('listens nowhere but where a test fires hostile packets, or for a moment to find a free port', async () => {
  const files = (await find(/\.listen\((?!\))/)).map((place) => place.replace(/:\d+$/, ''));
  expect([...new Set(files)].sort()).toEqual([
    'apps/standalone/src/demand-free-ports.ts',
    'libs/http/guarded-proxy.ts',
    'libs/listener/listen.ts',
    'libs/temporal/free-port.ts',
  ]);
});

it('has one policy for uncaught errors', async () => {
  const files = (await find(/uncaughtException|unhandledRejection/)).map((place) => place.replace(/:\d+$/, ''));
  expect([...new Set(files)]).toEqual(['libs/observability/uncaught-errors.ts']);
});

it('has comments that are sentences about the thing below them, and not about people', async () => {
  const opening = /^\s*(\/\*\*|\/\/|\*) (Of|Likewise|Whoever|Nobody|Somebody) /;
  expect(opening.test('  /** Of the answer. */')).toBe(true);
  const code = '{apps,workflows,activities,libs,tools,test}/**/*.{ts,tsx,mjs}';
  expect(await findIn(code, opening)).toEqual([]);
});

/** A type of source declares everything about itself in its file; `findSource` returns the declaration. */
it('compares types of sources nowhere but in libs/sources', async () => {
  const blocks = [...sources, ...serverSources].map(({ block }) => block);
  const text = `(['"\`](${blocks.join('|')})['"\`]|\\w+Source\\.block)`;
  const comparison = new RegExp(`(?<!shape )[!=]==\\s*${text}|${text}\\s*[!=]==`);
  for (const line of ["if (type === 'git') {", "'pvcRef' !== type", 'type !== gitSource.block']) {
    expect(comparison.test(line)).toBe(true);
  }
  expect(comparison.test("source.shape === 'file'")).toBe(false);
  const found = await find(comparison);
  expect(found.filter((place) => !/^(libs\/sources|apps\/console)\//.test(place))).toEqual([]);
});
