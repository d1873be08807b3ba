import { join } from 'node:path';
import { ImportThreads } from '#activities/sync/import-threads.js';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import { createFileLogger } from '#observability/file-logger.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import { AUDIENCE, startIssuer } from './auth/issuer.js';
import type { Issuer } from './auth/issuer.js';
import { startLoadGenerator } from './auth/load.js';
import type { Load } from './auth/load.js';
import { openBenchStore } from './bench-store.js';
import type { BenchStore } from './bench-store.js';
import type { Bench } from './bench.js';
import { generateCatalogue } from './generate-catalogue.js';

const NAMES = 2_000;
const TOKENS = 100;
const CONNECTIONS = 16;
/**
 * Duration of a turn in milliseconds. There are many short turns, so that load on the machine affects all cases
 * equally.
 */
const TURN_MS = 1_500;
const TURNS = 6;
const STRANGERS_PER_SECOND = 200;
const GUARDED = { namespace: 'bench', name: 'guarded', uid: '00000000-0000-4000-8000-000000000001' };
const OPEN = { namespace: 'bench', name: 'open', uid: '00000000-0000-4000-8000-000000000002' };
const PAGE = '/v0.1/servers?limit=30';

/**
 * Measures reads of an open registry and of one that requires tokens, with a hundred different tokens, and with and
 * without strangers whose tokens refer to unknown keys. Audit lines are written, as in production.
 */
export const authBench: Bench = {
  name: 'auth',

  async run() {
    await using stack = new AsyncDisposableStack();
    const store = stack.use(await openBenchStore());
    const issuer = stack.use(await startIssuer());
    await fill(store);
    const nothing = () => Promise.reject(new Error('there is no such thing in a bench'));
    const served = [toServed(OPEN.name, { mode: 'anonymous' }), toServed(GUARDED.name, guardedBy(issuer))];
    const api = await startRegistryApi({
      database: store.database.app,
      host: '127.0.0.1',
      port: 0,
      internalPort: 0,
      registries: {
        find: (namespace, name) => served.find((each) => each.namespace === namespace && each.name === name),
        default: () => served[0],
        all: () => served,
      },
      references: { secretKey: nothing, configMapKey: nothing },
      syncNow: nothing,
      version: { version: '0', commit: '', buildDate: '' },
      logger: await createFileLogger(join(store.directory, 'api.log'), 'info'),
    });
    stack.defer(() => api.close());
    while (!api.ready().ready) await api.catalogue.nextChange();
    const generator = stack.use(startLoadGenerator());

    const tokens = await issuer.tokens(TOKENS);
    const strangers = await issuer.strangers(STRANGERS_PER_SECOND * 10);
    const guarded = { name: GUARDED.name, tokens, strangers, strangersPerSecond: 0 };
    const cases = {
      'open to everybody': { ...guarded, name: OPEN.name, tokens: [] },
      [`${TOKENS} tokens`]: guarded,
      [`${TOKENS} tokens, and ${STRANGERS_PER_SECOND} strangers a second`]: {
        ...guarded,
        strangersPerSecond: STRANGERS_PER_SECOND,
      },
    };
    const sums = new Map(
      Object.keys(cases).map((name) => [name, { answered: 0, wrong: 0, seconds: 0, cpuMs: 0, p99Ms: 0 }]),
    );
    const startedAt = performance.now();
    for (let turn = -1; turn < TURNS; turn++) {
      for (const [label, { name, ...load }] of Object.entries(cases)) {
        const url = `${api.url}/bench/${name}${PAGE}`;
        const cpu = process.cpuUsage();
        const result = await generator.send({
          ...load,
          url,
          connections: CONNECTIONS,
          durationMs: TURN_MS,
        } satisfies Load);
        const { user, system } = process.cpuUsage(cpu);
        // The first turn is for warm-up.
        if (turn < 0) continue;
        const sum = sums.get(label);
        if (!sum) continue;
        sum.answered += result.answered;
        sum.wrong += result.wrong;
        sum.seconds += result.seconds;
        sum.cpuMs += (user + system) / 1000;
        sum.p99Ms = Math.max(sum.p99Ms, result.p99Ms);
      }
    }
    const [base] = sums.values();
    const rows = Array.from(sums, ([label, { answered, wrong, seconds, cpuMs, p99Ms }]) => [
      label,
      Math.round(answered / seconds),
      base ? `${Math.round((answered / seconds / (base.answered / base.seconds)) * 100)} %` : '',
      Math.round((cpuMs * 1000) / answered),
      Math.round(p99Ms * 10) / 10,
      wrong,
    ]);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    return [
      { title: `Guarded reads of a page of 30, ${CONNECTIONS} connections`, head: HEAD, rows },
      {
        title: 'Asked of the provider',
        head: ['in', 'key requests'],
        rows: [[`${seconds} s`, issuer.keyRequests()]],
      },
    ];
  },
};

const HEAD = ['callers', 'requests/s', 'of open', 'CPU µs each', 'worst p99 ms', 'wrong answers'];

function toServed(name: string, auth: object): ServedRegistry {
  const read = parseRegistrySpec({ auth });
  if ('faults' in read || !read.spec.auth) throw new Error('the spec of the bench has faults');
  return { namespace: 'bench', name, sources: [], auth: read.spec.auth };
}

function guardedBy({ url, jwksUrl }: Issuer): object {
  return {
    oauth: { providers: [{ name: 'bench', issuerUrl: url, jwksUrl, audience: AUDIENCE, allowPrivateIP: true }] },
  };
}

/** Fills both registries with the same catalogue. */
async function fill({ directory, catalogue, database }: BenchStore): Promise<void> {
  const file = join(directory, 'catalogue.json');
  await generateCatalogue(file, { names: NAMES });
  const threads = new ImportThreads({ threads: 1, memoryMiB: 512, deadlineMs: 600_000 });
  for (const registry of [OPEN, GUARDED]) {
    await catalogue.adoptPlan(registry, null, [
      { name: 's', type: 'git', address: '', format: 'upstream', specHash: 'a', filterHash: 'b' },
    ]);
    await threads.run(
      {
        kind: 'import',
        file,
        label: 'bench',
        format: 'upstream',
        filter: {},
        maxFileBytes: 1e9,
        readAlike: true,
        database: database.app,
        target: { registry, source: 's', revision: 'bench', specHash: 'a', filterHash: 'b' },
      },
      { signal: new AbortController().signal, progress: () => undefined },
    );
  }
}
