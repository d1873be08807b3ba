import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 2_000;
const TIMEOUT_MS = 1_000;
/**
 * Number of failures in a row after which no other pod is assumed to exist. A Service without pods refuses connections
 * or lets them time out, but a busy pod may also fail to answer one request.
 */
const FAILURES_OF_NONE = 3;
/** Header of the `/readiness` response with the number of sources whose content the pod has. */
export const SYNCED_SOURCES_HEADER = 'x-registry-synced-sources';

/**
 * Asks the Service of a registry how many sources its ready pods have content for. This pod is not behind the Service
 * until it is ready, so the response is from another pod.
 */
export class PeerPods {
  #syncedSources: number | undefined;
  #failures = 0;
  readonly #url: string;
  readonly #stopping = new AbortController();

  /** `service` is the origin of the Service. */
  constructor(service: string) {
    this.#url = `${service}/readiness`;
  }

  /** Number of sources that another pod has content for; 0 if there is no such pod, undefined until that is known. */
  get syncedSources(): number | undefined {
    return this.#syncedSources;
  }

  /** Polls until `isReady` returns true or `stop` is called. */
  async watch(isReady: () => boolean): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && !isReady()) {
      await this.#ask();
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #ask(): Promise<void> {
    const answer = await this.#fetch().catch(() => undefined);
    this.#failures = answer === undefined ? this.#failures + 1 : 0;
    if (answer !== undefined) this.#syncedSources = answer;
    else if (this.#failures >= FAILURES_OF_NONE) this.#syncedSources = 0;
  }

  async #fetch(): Promise<number> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(this.#url, { signal, redirect: 'error', headers: { connection: 'close' } });
    await response.body?.cancel();
    const sources = response.headers.get(SYNCED_SOURCES_HEADER);
    if (!response.ok || !/^\d{1,6}$/.test(sources ?? '')) throw new Error(`no pod is ready: status ${response.status}`);
    return Number(sources);
  }
}
