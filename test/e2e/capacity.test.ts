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

/** Seconds for all of it: more than a run of the other tests wants to wait. */
const SECONDS = Number(process.env['E2E_CAPACITY'] ?? 0);
/** Two in five have a second version. */
const NAMES = [5_000, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 75_000, 90_000, 105_000, 120_000];
const NAMESPACE = 'e2e-capacity';
const STEP_MS = 300_000;

interface Step {
  readonly names: number;
  readonly entries: number;
  readonly megabytes: number;
  readonly seconds: number;
  /** Resident, of the container with its Postgres, after the sync. */
  readonly mebibytes?: number;
  /** Absent: it fits. */
  readonly fault?: string;
}

/** How large a catalogue the pod of a registry takes as it is by default: 500m, 512Mi, and Postgres within. */
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
    'grows with its catalogue until it cannot, and a new pod takes up the largest that fits',
    async () => {
      const deadline = Date.now() + SECONDS * 1000;
      const steps: Step[] = [];
      for (const names of NAMES) {
        if (Date.now() > deadline || steps.at(-1)?.fault !== undefined) break;
        const step = await grow(names);
        steps.push(step);
        process.stdout.write(`${JSON.stringify(step)}\n`);
      }
      const largest = steps.findLast(({ fault }) => fault === undefined)!;
      process.stdout.write(`the largest catalogue that fits: ${JSON.stringify(largest)}\n`);

      await commitCatalogue(largest.names);
      const before = Date.now();
      await kubectl(['delete', 'pods', '--namespace', NAMESPACE, '--all']);
      await until(
        'a new pod serves it',
        () => findLast(largest.names),
        (found) => found > 0,
        { withinMs: STEP_MS },
      );
      process.stdout.write(`a new pod served it after ${Math.round((Date.now() - before) / 1000)} s\n`);
      expect(await restarts()).toEqual([]);
      // As many as the official registry had when this was written.
      expect(largest.entries).toBeGreaterThan(25_000);
    },
    SECONDS * 1000 + 3 * STEP_MS,
  );

  async function commitCatalogue(names: number): Promise<{ commit: string; entries: number; megabytes: number }> {
    const file = join(repository.directory, 'registry.json');
    await rm(file, { force: true });
    const entries = await generateCatalogue(file, { names });
    const megabytes = Math.round((await readFile(file)).length / 1e6);
    return { commit: await repository.commit({}), entries, megabytes };
  }

  async function grow(names: number): Promise<Step> {
    const { commit, entries, megabytes } = await commitCatalogue(names);
    const restartsBefore = (await restarts()).length;
    const before = Date.now();
    await annotate(registry, String(names));
    const look = async (): Promise<string | undefined> => {
      const ended = await restarts();
      if (ended.length > restartsBefore) return `the server was ended: ${ended.join(', ')}`;
      const status = await statusOf(registry);
      const source = status?.syncStatus?.sources?.[0];
      if (source?.phase === 'Failed') return source.message ?? 'the sync failed';
      const isServed = commit.startsWith(source?.revision ?? '-') && (await findLast(names)) > 0;
      return isServed ? '' : undefined;
    };
    const fault = await until('the sync ends', look, (seen) => seen !== undefined, {
      withinMs: STEP_MS,
      everyMs: 1_000,
    }).catch(() => `not served within ${STEP_MS / 1000} s`);
    const seconds = Math.round((Date.now() - before) / 1000);
    const step = { names, entries, megabytes, seconds };
    return fault ? { ...step, fault } : { ...step, mebibytes: await residentMebibytes() };
  }

  /** The last name of a catalogue is in no smaller one. */
  async function findLast(names: number): Promise<number> {
    return (await servers(registry, 'large', `search=${String(names - 1).padStart(5, '0')}`)).servers.length;
  }

  const pods = () => list<PodObject>('pods', NAMESPACE, 'app.kubernetes.io/instance=large');

  /** Why containers ended, for each time that one did. */
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
