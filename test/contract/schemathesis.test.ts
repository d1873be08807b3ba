import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onlyRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { ALONE } from '#support/alone.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { findSchemathesis } from '#support/schemathesis.js';

const SEED = 20_261_124;
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
];

const command = await findSchemathesis();

/**
 * Checks responses of a real server against its own OpenAPI document. Skipped without Python, which the tool requires.
 */
describe.skipIf(command === undefined)('the API keeps to its OpenAPI document', () => {
  let database: TestDatabase;
  let rows: CatalogueRows;
  let api: RegistryApi;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'schemathesis-'));
    database = await createTestDatabase();
    rows = await CatalogueRows.connect(database.app);
    await rows.addRegistry('default', 'team');
    await rows.addSource('default', 'team', 'ours');
    const versions = ['1.0.0', '1.1.0', '2.0.0-rc.1'];
    const names = Array.from({ length: 40 }, (_, index) => `io.example/server-${index}`);
    await rows.publish(
      'default',
      'team',
      'ours',
      names.flatMap((name, index) =>
        versions.map((version) => ({
          name,
          version,
          ...(index % 7 === 0 && { deletedAt: '2026-03-01T00:00:00Z' }),
          ...(index % 5 === 0 && { hiddenBy: 'names.exclude: *' }),
          ...(index % 3 === 0 && { title: `Number ${index}` }),
        })),
      ),
    );
    api = await startRegistryApi({
      database: database.app,
      host: '127.0.0.1',
      port: 0,
      internalPort: 0,
      registries: onlyRegistry({ namespace: 'default', name: 'team', sources: [], auth: { mode: 'anonymous' } }),
      ...ALONE,
      version: { version: '1.2.3', commit: 'abc', buildDate: '2026-11-24' },
      logger: pino({ level: 'silent' }),
    });
    await api.catalogue.nextChange();
  });

  afterAll(async () => {
    await api?.close();
    await rows?.end();
    await database?.drop();
    await rm(directory, { recursive: true, force: true });
  });

  it('whatever is asked', async ({ signal }) => {
    expect(await run('', 120, signal)).toBeGreaterThan(4_000);
  });

  it.for([
    ['io.example%2Fserver-1', 'latest', 'ours'],
    ['io.example%2Fserver-7', '2.0.0-rc.1', 'team'],
  ])('when things that exist are asked for: %s, %s, %s', async ([server, version, name], { signal }) => {
    const parameters = { 'path.source': 'ours', 'path.serverName': server, 'path.version': version, 'path.name': name };
    const lines = Object.entries(parameters).map(([parameter, value]) => `"${parameter}" = ${JSON.stringify(value)}`);
    expect(await run(`[parameters]\n${lines.join('\n')}\n`, 80, signal)).toBeGreaterThan(2_000);
  });

  /** Returns the number of requests made. Throws with the report if a response was not as documented. */
  async function run(config: string, examples: number, signal: AbortSignal): Promise<number> {
    const file = join(directory, 'schemathesis.toml');
    await writeFile(file, config);
    const where = ['--config-file', file, 'run', `${api.url}/openapi.json`, '--url', api.url, '--no-color'];
    const what = ['--seed', String(SEED), '--generation-database', 'none', '--max-examples', String(examples)];
    const args = where.concat(what, '--checks', CHECKS.join(','));
    const { code, report } = await new Promise<{ code: unknown; report: string }>((resolve) => {
      execFile(command!, args, { cwd: directory, maxBuffer: 64 * 1024 * 1024, signal }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, report: `${stdout}\n${stderr}` }),
      );
    });
    if (code !== 0) throw new Error(report);
    return Number(/(\d+) generated/.exec(report)?.[1]);
  }
});
