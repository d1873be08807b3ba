import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { apiServerTests } from './api-server-tests.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'api-server-tests-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function put(path: string, ...lines: string[]): Promise<void> {
  await mkdir(join(root, dirname(path)), { recursive: true });
  await writeFile(join(root, path), lines.map((line) => `${line}\n`).join(''));
}

it('finds the tests that need an API server, directly or not', async () => {
  await put('test/support/shared-api-server.ts', "import { offer } from './api-server.js';");
  await put('test/support/api-server.ts', "export { startApiServer } from '#api-server/start-api-server.js';");
  await put(
    'test/support/world.ts',
    "import type { Other } from './other.js';",
    "import { shared } from './shared-api-server.js';",
  );
  await put(
    'test/support/other.ts',
    "import type { ApiServerAddress } from './api-server.js';",
    "import { Door } from './door.js';",
  );
  await put('test/support/door.ts', "import { Other } from './other.js';");
  await put('test/integration/direct.test.ts', "import { shared } from '#support/shared-api-server.js';");
  await put('test/integration/through.test.ts', 'import {', '  World,', "} from '#support/world.js';");
  await put(
    'test/integration/without.test.ts',
    "import { Other } from '#support/other.js';",
    "import { it } from 'vitest';",
  );
  await put('test/integration/helper.ts', "import { shared } from '#support/shared-api-server.js';");
  expect(await apiServerTests(root)).toEqual(['test/integration/direct.test.ts', 'test/integration/through.test.ts']);
});
