import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createGitRepository } from '../../libs/sources/testing/git-repository.js';
import type { GitRepository } from '../../libs/sources/testing/git-repository.js';
import { startGitHttpServer } from '../../libs/sources/testing/git-http-server.js';
import { generateCatalogue } from '../../tools/bench/generate-catalogue.js';
import { deleteNamespaces, kubectl, list, until } from './support/cluster.js';
import type { PodObject } from './support/cluster.js';
import { annotate, awaitReady, createRegistry, servers, statusOf } from './support/registry.js';
import type { DeployedRegistry } from './support/registry.js';

/** Time limit in seconds for the whole test, which takes too long for a normal run. */
const SECONDS = Number(process.env['E2E_CAPACITY'] ?? 0);
/** Numbers of distinct server names. Two in five servers have a second version. */
const NAMES = [10_000, 20_000, 30_000, 40_000, 43_500, 47_000, 50_000, 60_000, 75_000, 90_000, 105_000, 120_000];
const NAMESPACE = 'e2e-capacity';
const STEP_MS = 300_000;

interface Step {
  readonly names: number;
  readonly entries: number;
  readonly megabytes: number;
  readonly seconds: number;
  /** Resident memory of the container, including its Postgres, after the sync. */
  readonly mebibytes?: number;
  /** Why the catalogue does not fit. Absent if it does. */
  readonly fault?: string;
}

interface Catalogue {
  readonly commit: string;
  readonly entries: number;
  readonly megabytes: number;
}

/**
 * Measures how large a catalogue fits into a registry's pod with the defaults: 500m, 512Mi, and the embedded Postgres.
 */
describe.runIf(SECONDS > 0)('a registry with the resources and the database that it has by default', () => {
  const ends = new AsyncDisposableStack();
  let repository: GitRepository;
  let registry: DeployedRegistry;

  beforeAll(async () => {
    repository = ends.use(await createGitRepository());
    const git = ends.use(await startGitHttpServer({ repository: repository.directory, host: '0.0.0.0' }));
    const port = new URL(git.url).port;
    const url = `http://${inject('hostAddress')}:${port}/${repository.directory.split('/').at(-1)}`;
    await commitCatalogue(100);
    registry = await createRegistry(NAMESPACE, 'large', {
      auth: { mode: 'anonymous' },
      registries: [{ name: 'large', format: 'upstream', git: { repository: url } }],
    });
    await awaitReady(registry);
  });

  afterAll(async () => {
    await deleteNamespaces([NAMESPACE]);
    await ends.disposeAsync();
  });

  it(
    'takes as much as is printed here, by growth and in a new pod',
    async () => {
      const deadline = Date.now() + SECONDS * 1000;
      const largestOf = async (what: string, sizes: readonly number[], measure: (names: number) => Promise<Step>) => {
        let largest: Step | undefined;
        for (const names of sizes) {
          if (Date.now() > deadline) break;
          const step = await measure(names);
          process.stdout.write(`${what}: ${JSON.stringify(step)}\n`);
          if (step.fault !== undefined) break;
          largest = step;
        }
        process.stdout.write(`the largest catalogue that fits (${what}): ${JSON.stringify(largest)}\n`);
        return largest;
      };
      const grown = await largestOf('grown into', NAMES, grow);
      // The size of the official registry.
      expect(grown?.entries).toBeGreaterThan(60_000);
      const sizes = NAMES.filter((names) => names >= grown!.names);
      expect(await largestOf('by a new pod', sizes, takeUp)).toBeDefined();
    },
    SECONDS * 1000 + 3 * STEP_MS,
  );

  async function commitCatalogue(names: number): Promise<Catalogue> {
    const file = join(repository.directory, 'registry.json');
    await rm(file, { force: true });
    const entries = await generateCatalogue(file, { names });
    const megabytes = Math.round((await readFile(file)).length / 1e6);
    return { commit: await repository.commit({}), entries, megabytes };
  }

  async function grow(names: number): Promise<Step> {
    const catalogue = await commitCatalogue(names);
    return measure(catalogue, names, async () => void (await annotate(registry, String(names))));
  }

  async function takeUp(names: number): Promise<Step> {
    const catalogue = await commitCatalogue(names);
    const selector = ['--selector', 'app.kubernetes.io/instance=large'];
    return measure(catalogue, names, async () => {
      await kubectl(['delete', 'pods', '--namespace', NAMESPACE, ...selector]);
    });
  }

  async function measure(catalogue: Catalogue, names: number, begin: () => Promise<void>): Promise<Step> {
    const { commit, entries, megabytes } = catalogue;
    const before = Date.now();
    const known = (await pods())[0]?.metadata.name;
    const restartsBefore = (await restarts()).length;
    await begin();
    const look = async (): Promise<string | undefined> => {
      const isSame = (await pods())[0]?.metadata.name === known;
      const ended = await restarts();
      if (ended.length > (isSame ? restartsBefore : 0)) return `the server was ended: ${ended.join(', ')}`;
      const source = (await statusOf(registry))?.syncStatus?.sources?.[0];
      if (source?.phase === 'Failed') return source.message ?? 'the sync failed';
      const isSynced = commit.startsWith(source?.revision ?? '-');
      return isSynced && (await findLast(names)) > 0 ? '' : undefined;
    };
    const options = { withinMs: STEP_MS, everyMs: 1_000 };
    const fault = await until('the sync ends', look, (seen) => seen !== undefined, options).catch(
      () => `not served within ${STEP_MS / 1000} s`,
    );
    const step = { names, entries, megabytes, seconds: Math.round((Date.now() - before) / 1000) };
    return fault ? { ...step, fault } : { ...step, mebibytes: await residentMebibytes() };
  }

  /** Searches for the last name of the catalogue, which no smaller catalogue contains. Returns the number of hits. */
  async function findLast(names: number): Promise<number> {
    return (await servers(registry, 'large', `search=${String(names - 1).padStart(5, '0')}`)).servers.length;
  }

  const pods = () => list<PodObject>('pods', NAMESPACE, 'app.kubernetes.io/instance=large');

  /** Returns a termination reason for each restart of a container. */
  async function restarts(): Promise<string[]> {
    const states = (await pods()).flatMap(({ status }) => status.containerStatuses ?? []);
    return states.flatMap((state) => {
      const { lastState } = state as { lastState?: { terminated?: { reason?: string } } };
      return Array.from({ length: state.restartCount }, () => lastState?.terminated?.reason ?? 'unknown');
    });
  }

  async function residentMebibytes(): Promise<number> {
    const [pod] = await pods();
    const read = 'cat /sys/fs/cgroup/memory/memory.stat 2>/dev/null || cat /sys/fs/cgroup/memory.stat';
    const text = await kubectl(['exec', '--namespace', NAMESPACE, pod!.metadata.name, '--', 'sh', '-c', read]);
    const [, bytes] = /^(?:total_rss|anon) (\d+)$/m.exec(text) ?? [];
    return Math.round(Number(bytes) / 2 ** 20);
  }
});
