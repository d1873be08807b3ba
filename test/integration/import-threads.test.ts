import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { ImportThreads } from '#activities/sync/import-threads.js';
import type { ImportJob } from '#activities/sync/thread-jobs.js';
import type { ServeConfig } from '#environment/serve-config.js';
import { createDataSource } from '#persistence/database.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { startStoreWorker } from '#registry-api/sync/store-worker.js';
import type { ThreadLimits } from '#subprocess/thread-pool.js';
import { connectTemporal } from '#temporal/connect.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { silent } from '#support/quiet-temporal.js';
import { IMPORT_THREAD } from '#support/start-sync-worker.js';

const registry = { namespace: 'test', name: 'threads', uid: randomUUID() };
/** Number of the field `nice` in a line of `/proc/…/stat` (proc_pid_stat(5)). */
const NICE_FIELD = 19;
const quiet = { signal: new AbortController().signal, progress: () => undefined };

let directory: string;
let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-threads-'));
  database = await createTestDatabase();
  dataSource = await createDataSource(database.app, { maxConnections: 1, onError: () => undefined }).initialize();
});

/** Each test starts with a source that was never synced. */
beforeEach(async () => {
  await dataSource.query('DELETE FROM registry');
  await new RegistryCatalogue(dataSource).adoptPlan(registry, null, [
    { name: 's', type: 'git', address: '', format: 'toolhive', specHash: 'a', filterHash: 'b' },
  ]);
});

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

const pools: ImportThreads[] = [];

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool[Symbol.asyncDispose]();
});

function threads(limits: Partial<ThreadLimits> = {}): ImportThreads {
  const pool = new ImportThreads({ threads: 1, memoryMiB: 256, deadlineMs: 60_000, ...limits }, IMPORT_THREAD);
  pools.push(pool);
  return pool;
}

async function job(content: string): Promise<ImportJob> {
  const file = join(directory, `${randomUUID()}.json`);
  await writeFile(file, content);
  return {
    kind: 'import',
    file,
    label: 'registry.json',
    format: 'toolhive',
    filter: {},
    maxFileBytes: 1e9,
    database: database.app,
    readAlike: false,
    target: { registry, source: 's', revision: 'r', specHash: 'a', filterHash: 'b' },
  };
}

const served = async () => (await dataSource.query('SELECT count(*)::int AS count FROM entry'))[0].count as number;

describe('an import in a thread', () => {
  it('tells what it did, and another follows in the same thread', async () => {
    const pool = threads();
    pool.warmUp();
    expect(await pool.run(await job(toolhiveCatalogue(5)), quiet)).toMatchObject({ counts: { served: 5 } });
    expect(await pool.run(await job(toolhiveCatalogue(6)), quiet)).toMatchObject({ counts: { added: 1 } });
  });

  it.runIf(process.platform === 'linux')('leaves the processor to the threads that answer requests', async () => {
    const own = getPriority();
    await threads().run(await job(toolhiveCatalogue(6)), quiet);
    const tasks = await readdir('/proc/self/task');
    const stats = await Promise.all(
      tasks.map((task) => readFile(`/proc/self/task/${task}/stat`, 'utf8').catch(() => '')),
    );
    // The third field follows the process name, which is in parentheses and may contain spaces.
    const nice = stats.filter(Boolean).map((stat) => Number(stat.split(') ')[1]?.split(' ')[NICE_FIELD - 3]));
    expect(nice).toContain(own + 5);
    expect(nice).toContain(own);
  });

  it('that finds a fault tells it with its reason, and changes nothing', async () => {
    const before = await served();
    const broken = toolhiveCatalogue(9).slice(0, -30);
    await expect(threads().run(await job(broken), quiet)).rejects.toMatchObject({ reason: 'InvalidData' });
    expect(await served()).toBe(before);
  });

  it('that needs too much memory is ended, and so is one that takes too long; the next one works', async () => {
    const before = await served();
    const huge = await job(toolhiveCatalogue(120_000));
    await expect(threads({ memoryMiB: 10 }).run(huge, quiet)).rejects.toMatchObject({
      reason: 'InvalidData',
      message: expect.stringContaining('10 MiB'),
    });
    const slow = threads({ deadlineMs: 300 });
    await expect(slow.run(huge, quiet)).rejects.toMatchObject({ message: expect.stringContaining('0.3 s') });
    expect(await served()).toBe(before);
    expect(await threads().run(await job(toolhiveCatalogue(7)), quiet)).toMatchObject({ counts: { served: 7 } });
  });

  it('that is cancelled ends at once, also while it waits for its turn', async () => {
    const pool = threads();
    const huge = await job(toolhiveCatalogue(120_000));
    const [first, second] = [new AbortController(), new AbortController()];
    const running = pool.run(huge, { ...quiet, signal: first.signal });
    const waiting = pool.run(huge, { ...quiet, signal: second.signal });
    const last = pool.run(await job(toolhiveCatalogue(8)), quiet);
    second.abort(new Error('second'));
    await expect(waiting).rejects.toThrow('second');
    first.abort(new Error('first'));
    await expect(running).rejects.toThrow('first');
    expect(await last).toMatchObject({ counts: { served: 8 } });
  });
});

describe('a pool of import threads', () => {
  it('ends its threads when it is disposed of, also one that is at work', async () => {
    const pool = threads();
    await pool.run(await job(toolhiveCatalogue(5)), quiet);
    expect(pool.size).toBe(1);
    await pool[Symbol.asyncDispose]();
    await pool[Symbol.asyncDispose]();
    expect(pool.size).toBe(0);
    const busy = threads();
    const running = busy.run(await job(toolhiveCatalogue(120_000)), quiet);
    await busy[Symbol.asyncDispose]();
    await expect(running).rejects.toThrow(/terminat|abort/i);
    expect(busy.size).toBe(0);
  });

  it.runIf(process.platform === 'linux')('leaves threads and memory level after 30 links that failed', async () => {
    const temporal = await connectTemporal({ address: inject('temporalAddress'), namespace: 'default' });
    const link = () =>
      startStoreWorker({
        config: { ...LINKED, dataDirectory: directory } as ServeConfig,
        database: { app: database.app } as never,
        resources: { claims: new Map() } as never,
        temporal,
        namespace: 'no-such-namespace',
        store: { id: randomUUID(), taskQueue: 'failed-links' },
        version: 'test',
        metrics: undefined as never,
        logger: silent,
      });
    const fail = () => expect(link()).rejects.toThrow(/no-such-namespace|not found/i);
    for (let warm = 0; warm < 3; warm++) await fail();
    const before = await footprint();
    for (let tries = 0; tries < 30; tries++) await fail();
    const after = await footprint();
    expect(after.threads).toBeLessThanOrEqual(before.threads + 2);
    expect(after.mebibytes).toBeLessThan(before.mebibytes + 100);
    await temporal.close();
  });
});

const LINKED: Partial<ServeConfig> = {
  minSyncIntervalMs: 1_000,
  podName: 'pod',
  urlRewrites: [],
  allowLocalGit: false,
  allowPrivateSources: true,
};

async function footprint(): Promise<{ readonly threads: number; readonly mebibytes: number }> {
  const tasks = await readdir('/proc/self/task');
  return { threads: tasks.length, mebibytes: process.memoryUsage.rss() / 2 ** 20 };
}
