import { hash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { syncWorkflowId } from '#domain/registry-ref.js';
import { compileFilter } from '#domain/source-filter.js';
import type { SourceFilter } from '#domain/source-filter.js';
import type { EntryCounts, SyncTrigger } from '#domain/sync.js';
import { createDataSource } from '#persistence/database.js';
import { publishRevision } from '#persistence/publish-revision.js';
import type { PublishedItem } from '#persistence/copy-entries.js';
import { refilterSource } from '#persistence/refilter-source.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import type { Consent, ShrinkRefused } from '#persistence/shrink-guard.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

let database: TestDatabase;
let dataSource: DataSource;
let catalogue: RegistryCatalogue;
let client: pg.Client;
let registry: { namespace: string; name: string; uid: string };

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource(database.app, { maxConnections: 2, onError: () => undefined }).initialize();
  catalogue = new RegistryCatalogue(dataSource);
  client = new pg.Client(database.app);
  await client.connect();
});

beforeEach(async () => {
  registry = { namespace: 'test', name: `r-${randomUUID()}`, uid: randomUUID() };
  await catalogue.adoptPlan(registry, null, [
    { name: 's', type: 'git', address: 'x', format: 'upstream', specHash: 'a', filterHash: 'b' },
  ]);
});

afterAll(async () => {
  await client?.end();
  await dataSource?.destroy();
  await database?.drop();
});

interface Server {
  readonly name: string;
  readonly version: string;
  readonly text: string;
  readonly tags?: readonly string[];
  /** Whether the server goes to quarantine, known by name and version; without a version if `version` is empty. */
  readonly bad?: boolean;
  /** Whether the upstream registry marks the entry as deleted, although the entry itself cannot be stored. */
  readonly gone?: boolean;
  /** Whether the upstream registry has withdrawn the server, as an entry with that status. */
  readonly takenBack?: boolean;
}

interface PublishOptions {
  readonly readAlike?: boolean;
  readonly consent?: Consent;
  readonly isWhole?: boolean;
  readonly revision?: string;
  readonly run?: number;
  readonly trigger?: SyncTrigger;
}

/**
 * Publishes servers in the order in which a source would return them. A later server with the same name and version
 * goes to quarantine.
 */
async function publish(
  servers: readonly Server[],
  filter: SourceFilter = {},
  { readAlike = true, consent, isWhole = true, revision = 'r', run, trigger }: PublishOptions = {},
): Promise<EntryCounts> {
  const { counts } = await publishRevision(client, {
    registry,
    source: 's',
    revision,
    contentHash: hash('sha256', JSON.stringify(servers)),
    specHash: 'a',
    filterHash: hash('sha256', JSON.stringify(filter)),
    readAlike,
    isWhole,
    ...(consent && { consent }),
    ...(run !== undefined && { run }),
    ...(trigger && { trigger }),
    hiddenBy: compileFilter(filter),
    async *read(claimKnown): AsyncGenerator<PublishedItem[]> {
      const given = new Set<string>();
      for (const server of servers) {
        const { name, version, text } = server;
        const digest = hash('sha256', JSON.stringify(server), 'buffer');
        const double = given.has(`${name} ${version}`);
        if (server.gone) {
          const lifecycle = { status: 'deleted' } as const;
          yield [{ quarantined: { key: name, name, version, path: '', message: 'gone', lifecycle } }];
        } else if (server.bad || double) {
          const known = { name: name || undefined, version: version || undefined };
          yield [{ quarantined: { key: name || text, ...known, path: '', message: 'bad' } }];
        } else if (claimKnown(digest.toString('latin1'))) {
          yield [{ known: true }];
        } else {
          given.add(`${name} ${version}`);
          yield [{ entry: toEntry(server), hash: digest }];
        }
      }
    },
  });
  return counts;
}

function toEntry({ name, version, text, tags = [], takenBack = false }: Server): CatalogueEntry {
  const serverJson = JSON.stringify({ name, version, description: text });
  return {
    key: name,
    name,
    version,
    serverJson,
    title: undefined,
    description: text,
    tags,
    facets: ['package'],
    status: 'active',
    ...(takenBack && { lifecycle: { status: 'deleted' } }),
  };
}

interface Row {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly hidden: boolean;
  readonly deleted: boolean;
  readonly xmin: string;
}

function rows(): Promise<Row[]> {
  return dataSource.query(
    `SELECT entry.name, entry.version, entry.description, entry.hidden_by IS NOT NULL AS hidden,
            entry.deleted_at IS NOT NULL AS deleted, entry.xmin::text AS xmin
       FROM entry JOIN source ON source.id = entry.source_id
      WHERE source.registry = $1 ORDER BY entry.name, entry.version`,
    [registry.name],
  );
}

/** Records a blocked revision, as a sync does. */
async function holdBack(refused: Promise<unknown>): Promise<void> {
  const { held } = await refused.then(
    () => expect.unreachable(),
    (error: ShrinkRefused) => error,
  );
  await catalogue.holdBack(await catalogue.getSource(registry, 's'), held, undefined);
}

const live = async () =>
  (await rows())
    .filter(({ deleted }) => !deleted)
    .map(({ name, version, description }) => `${name} ${version} ${description}`);

const server = (name: string, text = 'one', version = '1.0.0'): Server => ({ name, version, text });

describe('publishing a revision', () => {
  it('writes exactly the rows that differ', async () => {
    expect(await publish([server('a/a'), server('a/b'), server('a/c')])).toMatchObject({ added: 3, served: 3 });
    const before = await rows();
    const counts = await publish([server('a/a'), server('a/b', 'two'), server('a/d')]);
    expect(counts).toMatchObject({ added: 1, updated: 1, removed: 1, unchanged: 1, served: 3 });
    const after = await rows();
    expect(after.filter((row) => !before.some(({ xmin }) => xmin === row.xmin)).map(({ name }) => name)).toEqual([
      'a/b',
      'a/c',
      'a/d',
    ]);
  });

  it('writes no row when everything is read again unchanged', async () => {
    await publish([server('a/a'), server('a/b')]);
    const before = await rows();
    expect(await publish([server('a/a'), server('a/b')], {}, { readAlike: false })).toMatchObject({
      added: 0,
      updated: 0,
      removed: 0,
    });
    expect(await rows()).toEqual(before);
  });

  it('increases the generation, on which readers and entity tags depend, only when entries were written', async () => {
    const generation = async () => {
      const [row] = await dataSource.query('SELECT generation FROM source WHERE registry = $1', [registry.name]);
      return Number(row.generation);
    };
    const both = [server('a/a'), server('a/b')];
    await publish([]);
    expect(await generation()).toBe(0);
    await publish(both);
    expect(await generation()).toBe(1);
    await publish(both);
    await publish(both, {}, { readAlike: false });
    await publish([...both, { ...server('a/c'), bad: true }]);
    await publish(both, { names: { exclude: ['z/*'] } });
    expect(await generation()).toBe(1);
    await publish(both, { names: { exclude: ['a/b'] } });
    expect(await generation()).toBe(2);
    await publish([server('a/a')]);
    expect(await generation()).toBe(3);
    await publish([server('a/a'), { ...server('a/d'), takenBack: true }]);
    expect(await generation()).toBe(4);
    await publish([server('a/a'), { ...server('a/d'), takenBack: true }]);
    expect(await generation()).toBe(4);
    await dataSource.query(`UPDATE entry SET deleted_at = now() - interval '91 days' WHERE name = 'a/b'`);
    await publish([server('a/a'), { ...server('a/d'), takenBack: true }]);
    expect(await generation()).toBe(5);
  });

  it('keeps the last valid version of a quarantined entry, and removes it when the entry is removed', async () => {
    await publish([server('a/a'), server('a/b')]);
    const held = await publish([server('a/a'), { ...server('a/b', 'broken'), bad: true }]);
    expect(held).toMatchObject({ served: 2, quarantined: 1, removed: 0 });
    expect(await live()).toEqual(['a/a 1.0.0 one', 'a/b 1.0.0 one']);
    expect(await publish([server('a/a')])).toMatchObject({ served: 1, quarantined: 0, removed: 1 });
  });

  it('leaves a tombstone for a removed entry and restores it when it returns', async () => {
    await publish([server('a/a'), server('a/b')]);
    await publish([server('a/a')]);
    expect((await rows()).map(({ name, deleted }) => [name, deleted])).toEqual([
      ['a/a', false],
      ['a/b', true],
    ]);
    expect(await publish([server('a/a'), server('a/b')])).toMatchObject({ added: 0, updated: 1, served: 2 });
  });

  it('keeps the stored one of two with the same name and version', async () => {
    await publish([server('a/a')]);
    const counts = await publish([server('a/a'), server('a/a', 'late')]);
    expect(counts).toMatchObject({ served: 1, updated: 0, quarantined: 1 });
    expect(await live()).toEqual(['a/a 1.0.0 one']);
  });

  it('changes nothing when it fails in the middle', async () => {
    await publish([server('a/a')]);
    const before = await rows();
    const failing = publishRevision(client, {
      registry,
      source: 's',
      revision: 'r2',
      contentHash: 'h',
      specHash: 'a',
      filterHash: 'b',
      readAlike: true,
      isWhole: true,
      hiddenBy: () => undefined,
      async *read(): AsyncGenerator<PublishedItem[]> {
        yield [{ entry: toEntry(server('a/z')), hash: Buffer.alloc(32) }];
        throw new Error('the file ends here');
      },
    });
    await expect(failing).rejects.toThrow('the file ends here');
    expect(await rows()).toEqual(before);
    expect(await publish([server('a/b')])).toMatchObject({ added: 1, removed: 1 });
  });

  it('rejects a registry whose name belongs to another resource', async () => {
    const stranger = { ...registry, uid: randomUUID() };
    const written = publishRevision(client, {
      registry: stranger,
      source: 's',
      revision: 'r',
      contentHash: 'h',
      specHash: 'a',
      filterHash: 'b',
      readAlike: true,
      isWhole: true,
      hiddenBy: () => undefined,
      async *read(): AsyncGenerator<PublishedItem[]> {},
    });
    await expect(written).rejects.toMatchObject({ reason: 'Cancelled' });
  });
});

describe('the quarantine', () => {
  const bad = (name: string, version = '1.0.0'): Server => ({ ...server(name, 'broken', version), bad: true });
  /** Returns an invalid server without a name. Only its position is known. */
  const nameless = (place: string): Server => ({ ...bad('', ''), text: place });
  const some = (servers: readonly Server[]) => publish(servers, {}, { isWhole: false });

  async function held(): Promise<string[]> {
    const found: { key: string; version: string | null }[] = await dataSource.query(
      `SELECT key, quarantined_entry.version FROM quarantined_entry JOIN source ON source.id = source_id
        WHERE registry = $1 ORDER BY key, version`,
      [registry.name],
    );
    const [{ count }] = await dataSource.query('SELECT quarantined_count AS count FROM source WHERE registry = $1', [
      registry.name,
    ]);
    expect(count).toBe(found.length);
    return found.map(({ key, version }) => [key, version].filter(Boolean).join(' '));
  }

  it('keeps entries that a walk over changes did not contain, and counts all of them', async () => {
    await publish([server('a/a'), bad('a/b'), bad('a/c'), bad('a/d', ''), nameless('page 1, servers[4]')]);
    const before = await held();
    expect(before).toHaveLength(4);
    expect(await some([server('a/a', 'two')])).toMatchObject({ quarantined: 4, updated: 1 });
    expect(await held()).toEqual(before);
    expect(await some([bad('a/e')])).toMatchObject({ quarantined: 5 });
    expect(await some([])).toMatchObject({ quarantined: 5 });
    expect(await publish([server('a/a')])).toMatchObject({ quarantined: 0 });
  });

  it('contains an entry once that is found again', async () => {
    const faulty = [bad('a/b'), bad('a/b', '2.0.0'), bad('a/d', ''), nameless('page 1, servers[3]')];
    await publish(faulty);
    const before = await held();
    expect(await some(faulty)).toMatchObject({ quarantined: 4 });
    expect(await held()).toEqual(before);
    expect(await some([nameless('page 1, servers[0]')])).toMatchObject({ quarantined: 5 });
  });

  it('releases entries that are valid now, or were removed', async () => {
    const goodOnce = server('a/b');
    await publish([server('a/a'), goodOnce]);
    await publish([server('a/a'), bad('a/b'), bad('a/b', '2.0.0'), bad('a/c'), bad('a/d'), bad('a/e', '')]);
    expect(await some([goodOnce])).toMatchObject({ quarantined: 4, unchanged: 2 });
    expect(await held()).toEqual(['a/b 2.0.0', 'a/c 1.0.0', 'a/d 1.0.0', 'a/e']);
    await some([
      { ...server('a/c'), gone: true },
      { ...server('a/d'), takenBack: true },
    ]);
    expect(await held()).toEqual(['a/b 2.0.0', 'a/e']);
    await some([server('a/e', 'mended', '3.0.0')]);
    expect(await held()).toEqual(['a/b 2.0.0']);
    expect(await live()).toEqual(['a/a 1.0.0 one', 'a/b 1.0.0 one', 'a/e 3.0.0 mended']);
  });

  it('is kept by a walk over changes if nothing could ever be stored', async () => {
    await publish([bad('a/a'), bad('a/b')]);
    expect(await some([server('a/a')])).toMatchObject({ served: 1, added: 1, quarantined: 1 });
    expect(await held()).toEqual(['a/b 1.0.0']);
  });
});

describe('a revision that removes more than half', () => {
  const many = Array.from({ length: 30 }, (_, index) => server(`a/${index}`));

  it('is blocked until it is confirmed, and the stored entries are kept', async () => {
    await publish(many);
    const before = await rows();
    await expect(publish(many.slice(0, 14))).rejects.toMatchObject({
      reason: 'ShrinkGuard',
      message: expect.stringContaining('would remove 16 of 30 servers'),
    });
    expect(await rows()).toEqual(before);
    expect(await publish(many.slice(0, 14), {}, { consent: 'all' })).toMatchObject({ removed: 16, served: 14 });
  });

  it('is confirmed by the removed names, so that the source may move on before the user confirms', async () => {
    await publish(many);
    await holdBack(publish(many.slice(0, 10)));
    await expect(publish(many.slice(0, 10))).rejects.toMatchObject({ reason: 'ShrinkGuard' });
    await expect(publish(many.slice(0, 9), {}, { consent: 'held' })).rejects.toMatchObject({
      reason: 'ShrinkGuard',
      message: expect.stringContaining('1 of which were not confirmed'),
    });
    const movedOn = [...many.slice(0, 12), server('a/new')];
    expect(await publish(movedOn, {}, { consent: 'held' })).toMatchObject({ removed: 18, added: 1, served: 13 });
  });

  it('is confirmed by versions, so that a server that keeps one does not lose it', async () => {
    const versions = (name: string) => ['1.0.0', '2.0.0', '3.0.0'].map((version) => server(name, 'one', version));
    const tools = Array.from({ length: 10 }, (_, index) => versions(`a/${index}`));
    const newest = tools.map((all) => all[2]!);
    await publish(tools.flat());
    await holdBack(publish(newest));
    await expect(publish(newest.slice(0, 1), {}, { consent: 'held' })).rejects.toMatchObject({ reason: 'ShrinkGuard' });
    expect(await publish(newest, {}, { consent: 'held' })).toMatchObject({ removed: 20, served: 10 });
  });

  it('is blocked even if the filter would exclude the removed entries, too', async () => {
    const filter: SourceFilter = { tags: { include: ['x'] } };
    const tagged = many.map((each): Server => ({ ...each, tags: ['x'] }));
    await publish(tagged, filter);
    const takenBack = many.map((each): Server => ({ ...each, takenBack: true, tags: [] }));
    await expect(publish(takenBack, filter, { isWhole: false })).rejects.toMatchObject({ reason: 'ShrinkGuard' });
  });

  it('is blocked when only the version of the reader differs', async () => {
    await publish(many);
    await expect(publish(many.slice(0, 5), {}, { readAlike: false })).rejects.toMatchObject({ reason: 'ShrinkGuard' });
  });

  it('is published when it removes half, or few', async () => {
    await publish(many);
    expect(await publish(many.slice(0, 15))).toMatchObject({ removed: 15 });
    expect(await publish(many.slice(0, 6))).toMatchObject({ removed: 9 });
  });
});

describe('a revision that removes more than half of the served entries', () => {
  const filter: SourceFilter = { tags: { exclude: ['hidden'] } };
  const served = Array.from({ length: 20 }, (_, index) => server(`a/${index}`));
  const hidden = Array.from({ length: 60 }, (_, index): Server => ({ ...server(`h/${index}`), tags: ['hidden'] }));

  it('is blocked, however many excluded entries are kept', async () => {
    await publish([...served, ...hidden], filter);
    const refused = { reason: 'ShrinkGuard', message: expect.stringContaining('would remove 11 of 20 servers') };
    await expect(publish([...served.slice(11), ...hidden], filter)).rejects.toMatchObject(refused);
    await expect(publish(hidden, filter)).rejects.toMatchObject({ reason: 'ShrinkGuard' });
    const takenBack = served.map((each) => ({ ...each, takenBack: true }));
    await expect(publish(takenBack, filter, { isWhole: false })).rejects.toMatchObject({ reason: 'ShrinkGuard' });
    expect(await publish([...served.slice(10), ...hidden], filter)).toMatchObject({ removed: 10, served: 10 });
  });

  it('is published by the first sync after an edit of the filter, and by no other', async () => {
    const edited: SourceFilter = { tags: { exclude: ['hidden', 'other'] } };
    await publish([...served, ...hidden], filter);
    expect(await publish([...served.slice(12), ...hidden], edited)).toMatchObject({ removed: 12, served: 8 });

    await publish([...served, ...hidden], edited);
    const target = { registry, source: 's', filterHash: hash('sha256', JSON.stringify(filter)) };
    await refilterSource(client, target, compileFilter(filter));
    expect(await publish([...served.slice(12), ...hidden], filter)).toMatchObject({ removed: 12, served: 8 });

    await publish([...served, ...hidden], filter);
    await expect(publish([...served.slice(12), ...hidden], filter)).rejects.toMatchObject({ reason: 'ShrinkGuard' });
  });

  it('is blocked when a sync has found nothing new since the filter was edited', async () => {
    await publish([...served, ...hidden]);
    const target = { registry, source: 's', filterHash: hash('sha256', JSON.stringify(filter)) };
    await refilterSource(client, target, compileFilter(filter));
    await catalogue.markSynced(await catalogue.getSource(registry, 's'), 'r');
    await expect(publish([...served.slice(12), ...hidden], filter)).rejects.toMatchObject({ reason: 'ShrinkGuard' });
  });

  it('is published when all other removed entries were excluded by the filter', async () => {
    await publish([...served, ...hidden], filter);
    expect(await publish(served.slice(1), filter)).toMatchObject({ removed: 61, served: 19 });
    await publish(hidden, filter, { consent: 'all' });
    expect(await publish([], filter)).toMatchObject({ removed: 60, served: 0 });
  });
});

describe('the run that publishes', () => {
  const FIRST = { run: 1, trigger: 'interval' } as const;
  const workflowId = () => syncWorkflowId(registry, 's', FIRST.run);

  const outcome = {
    source: 's',
    run: 1,
    storeId: 'x',
    trigger: 'interval',
    startedAt: 1_000,
    finishedAt: 2_000,
  } as const;

  async function recorded(): Promise<unknown[]> {
    return await dataSource.query(
      'SELECT revision, counts, finished_at, failure_reason AS failure FROM sync_run WHERE workflow_id = $1',
      [workflowId()],
    );
  }

  it('is recorded in the same transaction, and only once when it is repeated', async () => {
    await publish([server('a/a')], {}, FIRST);
    const counts = expect.objectContaining({ served: 1, added: 1 });
    expect(await recorded()).toEqual([{ revision: 'r', counts, finished_at: expect.any(Date), failure: null }]);
    expect(await publish([server('a/a')], {}, FIRST)).toMatchObject({ added: 0 });
    expect(await recorded()).toEqual([{ revision: 'r', counts, finished_at: expect.any(Date), failure: null }]);
  });

  it('keeps its revision and its counts when it is reported after a later run has published', async () => {
    await publish([server('a/a')], {}, FIRST);
    await publish([server('a/a'), server('a/b')], {}, { revision: 'later' });
    const late = { ...outcome, revision: 'later' };
    expect(await catalogue.recordRun(registry, workflowId(), late)).toMatchObject({ revision: 'r' });
    const counts = expect.objectContaining({ served: 1, added: 1 });
    expect(await recorded()).toEqual([{ revision: 'r', counts, finished_at: new Date(2_000), failure: null }]);
  });

  it('is recorded with what it imported, even if it applied a filter before', async () => {
    await publish([server('a/a')]);
    const target = { registry, source: 's', filterHash: 'edited', ...FIRST };
    await refilterSource(client, target, compileFilter({ names: { exclude: ['a/a'] } }));
    expect(await recorded()).toMatchObject([{ revision: null, counts: { served: 0, hidden: 1, updated: 1 } }]);
    await publish([server('a/a'), server('a/b')], {}, FIRST);
    expect(await recorded()).toMatchObject([{ revision: 'r', counts: { served: 2, added: 1 } }]);
  });
});

describe('an edited filter', () => {
  it('marks stored entries, writes only changes, and returns the number of served entries', async () => {
    const tagged = (name: string, ...tags: string[]): Server => ({ ...server(name), tags });
    await publish([tagged('a/a', 'x'), tagged('a/b', 'y'), tagged('a/c')]);
    const before = await rows();
    const filter: SourceFilter = { tags: { exclude: ['y'] } };
    const target = { registry, source: 's', filterHash: 'edited' };
    expect(await refilterSource(client, target, compileFilter(filter))).toMatchObject({
      served: 2,
      hidden: 1,
      updated: 1,
      unchanged: 2,
    });
    expect(await refilterSource(client, target, compileFilter(filter))).toBeNull();
    const after = await rows();
    expect(after.filter(({ xmin }, index) => xmin !== before[index]?.xmin).map(({ name }) => name)).toEqual(['a/b']);
    expect(after.map(({ hidden }) => hidden)).toEqual([false, true, false]);
  });
});

describe('any series of revisions and filters', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('gives the same result as a plain list (seed %i)', async (seed) => {
    const random = generator(seed);
    const pick = (below: number) => Math.floor(random() * below);
    let expected = new Map<string, string>();
    for (let round = 0; round < 12; round++) {
      const servers = Array.from({ length: pick(12) + 1 }, () => ({
        ...server(`a/${'abcdefgh'[pick(8)]}`, `text ${pick(3)}`, `1.0.${pick(2)}`),
        tags: pick(2) === 0 ? ['x'] : [],
        bad: pick(8) === 0,
      }));
      const isWhole = pick(3) > 0;
      const filter: SourceFilter = pick(2) === 0 ? {} : { tags: { exclude: ['x'] } };
      const gone = [server('a/a', '', '1.0.0'), server('a/b', '', '1.0.1')]
        .filter((each) => !servers.some(({ name, version }) => name === each.name && version === each.version))
        .map((each) => ({ ...each, gone: true }));
      const next = new Map(isWhole ? [] : expected);
      for (const { name, version } of gone) next.delete(`${name} ${version}`);
      const given = new Set<string>();
      const heldBack = new Set(servers.filter(({ bad }) => bad).map(({ name, version }) => `${name} ${version}`));
      for (const { name, version, text, bad } of servers) {
        const id = `${name} ${version}`;
        if (!bad && !given.has(id)) next.set(id, text);
        if (!bad) given.add(id);
      }
      const isGone = new Set(gone.map(({ name, version }) => `${name} ${version}`));
      const good = new Set(next.keys());
      for (const id of heldBack) {
        if (good.has(id)) continue;
        // A new version that cannot be served keeps the earlier versions of its name.
        const alike = [...expected].filter(([other]) => other.split(' ')[0] === id.split(' ')[0]);
        const kept = expected.has(id) ? [[id, expected.get(id)!] as const] : isWhole ? alike : [];
        for (const [other, text] of kept) if (!good.has(other) && !isGone.has(other)) next.set(other, text);
      }
      const { served, hidden } = await publish([...servers, ...gone], filter, { isWhole, consent: 'all' });
      const stored = (await rows()).filter(({ deleted }) => !deleted);
      const ids = stored.map(({ name, version }) => `${name} ${version}`);
      expect(ids).toEqual(expect.arrayContaining([...next.keys()]));
      // An entry in quarantine may keep further existing rows: those with its name or with its description.
      const identities = servers.map(({ name, version }) => `${name} ${version}`);
      const bad = servers.filter((each, at) => each.bad || identities.indexOf(identities[at]!) < at);
      for (const id of ids.filter((each) => !next.has(each))) {
        const text = expected.get(id);
        expect(text).toBeDefined();
        expect(isGone.has(id)).toBe(false);
        expect(bad.some((each) => each.name === id.split(' ')[0] || each.text === text)).toBe(true);
      }
      const marked = stored.filter((row) => row.hidden).length;
      expect({ served, hidden }).toEqual({ served: stored.length - marked, hidden: marked });
      for (const row of stored) {
        const texts = servers
          .filter(({ name, version, bad }) => !bad && name === row.name && version === row.version)
          .map(({ text }) => text);
        const id = `${row.name} ${row.version}`;
        expect(texts.length === 0 ? [next.get(id) ?? expected.get(id)] : texts).toContain(row.description);
      }
      expected = new Map(stored.map(({ name, version, description }) => [`${name} ${version}`, description]));
    }
  });
});

/** Mulberry32: small, seeded, and with the same results on every platform. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
