import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startDaemon } from '#subprocess/daemon.js';
import { COPIES_KEPT, isDamage, prepareData, setAside } from './dev-server-data.js';

let directory: string;
let dataFile: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-data-'));
  dataFile = join(directory, 'temporal.db');
});

afterEach(async () => {
  vi.useRealTimers();
  await rm(directory, { recursive: true });
});

const copies = async () => (await readdir(directory)).filter((name) => name.includes('.damaged')).sort();

describe('setAside', () => {
  const setContentAside = async (content: string) => {
    await writeFile(dataFile, content);
    return setAside(dataFile);
  };

  it('never replaces an earlier copy, even at the same time', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 2, 3, 4, 5) });
    const names = [await setContentAside('healthy'), await setContentAside('later')];
    expect(names).toEqual([
      `${dataFile}.damaged-2026-01-02T03-04-05.000Z`,
      `${dataFile}.damaged-2026-01-02T03-04-05.001Z`,
    ]);
    expect(await Promise.all(names.map((name) => readFile(name, 'utf8')))).toEqual(['healthy', 'later']);
  });

  it('moves the other files of SQLite, too', async () => {
    await writeFile(`${dataFile}-wal`, 'recent changes');
    const copy = await setContentAside('data');
    expect(await readdir(directory)).toHaveLength(2);
    expect(await readFile(`${copy}-wal`, 'utf8')).toBe('recent changes');
  });

  it('keeps the first copy and the newest ones, and files with other names', async () => {
    const other = `${dataFile}.damaged-by-me`;
    await writeFile(other, '');
    const made: string[] = [];
    for (let copy = 0; copy <= COPIES_KEPT + 1; copy++) {
      await writeFile(`${dataFile}-wal`, '');
      made.push(await setContentAside(String(copy)));
    }
    const kept = [made[0]!, ...made.slice(1 - COPIES_KEPT)];
    const files = [...kept.flatMap((file) => [file, `${file}-wal`]), other];
    expect((await copies()).map((name) => join(directory, name))).toEqual(files.sort());
    expect(await readFile(kept[0]!, 'utf8')).toBe('0');
  });

  it('keeps the new copy when the clock was set back', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
    for (let copy = 0; copy < COPIES_KEPT; copy++) {
      vi.setSystemTime(Date.UTC(2026, 0, 1 + copy));
      await setContentAside('earlier');
    }
    vi.setSystemTime(Date.UTC(2026, 0, 1, 12));
    expect(await readFile(await setContentAside('newest'), 'utf8')).toBe('newest');
    expect(await copies()).toHaveLength(COPIES_KEPT);
  });
});

describe('prepareData', () => {
  it('moves a file that is not a database aside, with its content', async () => {
    await writeFile(dataFile, 'precious');
    const copy = await prepareData(dataFile);
    expect(await readFile(copy!, 'utf8')).toBe('precious');
  });

  it('does not treat data as missing that cannot be accessed', async () => {
    await symlink(dataFile, dataFile);
    await expect(prepareData(dataFile)).rejects.toThrow('ELOOP');
    expect(await readdir(directory)).toEqual(['temporal.db']);
  });
});

describe('isDamage', () => {
  /** Starts a server that logs a line and then runs the script, and returns the error. */
  const failStart = (line: string, then: string): Promise<unknown> =>
    startDaemon({
      name: 'Temporal',
      command: '/bin/sh',
      args: ['-c', `echo "$0"; ${then}`, line],
      logFile: join(directory, 'temporal.log'),
      recordFile: join(directory, 'temporal.json'),
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 5_000,
      readyTimeoutMs: 300,
      ready: () => Promise.resolve(false),
    }).catch((error: unknown) => error);

  it.each([
    'database disk image is malformed (11)',
    'file is not a database (26)',
    'malformed database schema (executions)',
    'SQL logic error: no such table: namespaces (1)',
    'SQL logic error: no such column: id (1)',
  ])('is %s, if a server exits with it', async (line) => {
    expect(isDamage(await failStart(line, 'exit 1'))).toBe(true);
  });

  it.each([
    ['another error of SQLite', 'SQL logic error: cannot rollback - no transaction is active (1)', 'exit 1'],
    ['a full disk', 'database or disk is full (13)', 'exit 1'],
    ['a start that was slow', 'no such table: namespaces', 'exec sleep 60'],
    ['a server that was killed', 'database disk image is malformed', 'kill -KILL $$'],
  ])('is not %s', async (_, line, then) => {
    const error = await failStart(line, then);
    expect((error as Error).message).toContain(line);
    expect(isDamage(error)).toBe(false);
  });
});
