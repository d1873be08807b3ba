import { setTimeout as sleep } from 'node:timers/promises';
import { editionOf } from './catalogue.js';
import type { ListedServer } from './catalogue.js';
import type { Pod } from './pod.js';
import type { ChaosRegistry, SourceName } from './registry.js';

const PAUSE_MS = 1_000;
const TIMEOUT_MS = 10_000;

/**
 * Returns the list that a server serves for a source; undefined if it responds with 503 or not at all. Throws for any
 * other response.
 */
export async function listSource(pod: Pod, source: SourceName): Promise<readonly ListedServer[] | undefined> {
  const url = `${pod.url}/registry/${source}/v0.1/servers?limit=100`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    .then(async (response) => ({ status: response.status, text: await response.text() }))
    .catch(() => undefined);
  if (answer === undefined || answer.status === 503) return undefined;
  if (answer.status !== 200) throw new Error(`status ${answer.status}: ${answer.text.slice(0, 200)}`);
  return (JSON.parse(answer.text) as { servers: { server: ListedServer }[] }).servers.map(({ server }) => server);
}

/**
 * Clients that read every served source repeatedly while faults happen. Each response must be one complete edition, and
 * never older than the one before.
 */
export class Readers implements AsyncDisposable {
  readonly violations: string[] = [];
  /** Number of responses that were lists. */
  answers = 0;
  #isOver = false;
  readonly #loops: Promise<void>[];

  constructor(served: readonly { readonly pod: Pod; readonly registry: ChaosRegistry }[]) {
    this.#loops = served.map(({ pod, registry }) => this.#keepReading(pod, registry));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #keepReading(pod: Pod, registry: ChaosRegistry): Promise<void> {
    const seen = new Map<SourceName, number>();
    while (!this.#isOver) {
      for (const source of registry.sources) await this.#read(pod, registry, source, seen);
      await sleep(PAUSE_MS);
    }
  }

  async #read(pod: Pod, registry: ChaosRegistry, source: SourceName, seen: Map<SourceName, number>): Promise<void> {
    const id = registry.idOf(source);
    try {
      const listed = await listSource(pod, source);
      if (!listed) return;
      this.answers += 1;
      const edition = editionOf(id, listed);
      const [least, most] = [seen.get(source) ?? 1, registry.editions[source]];
      if (edition === undefined) throw new Error(`a list of ${listed.length} servers that is not one complete edition`);
      if (edition < least || edition > most) throw new Error(`edition ${edition}, not one of ${least} to ${most}`);
      seen.set(source, edition);
    } catch (error) {
      this.violations.push(`${id}: ${(error as Error).message}`);
    }
  }
}
