import type { Logger } from 'pino';
import { API_LIMITS } from '../limits.js';
import type { Caller } from './caller.js';

/** A request as the log shows it. Paths come without their query, which could hold a token. */
export interface Asked {
  readonly requestId: string;
  readonly registry: string;
  readonly method: string;
  readonly path: string;
  readonly address: string;
}

/** Who was refused: a caller, or as much as is known of one, such as the provider whose business the token was. */
interface Suspect {
  readonly provider?: string | undefined;
  readonly subject?: string | undefined;
}

/** Reads are summed for so long. */
const FLUSH_MS = 60_000;

/**
 * Writes a line for every decision: the caller, the request, the decision and its reason; never a token. Allowed reads of the catalogue are summed, one
 * line per caller, source and minute with their number: a line for each would cost as much as the answer.
 */
export class AuditLog {
  readonly #logger: Logger;
  /** By caller (undefined is everybody), registry and source (undefined is all that the caller may see). */
  readonly #reads = new Map<Caller | undefined, Map<string, Map<string | undefined, number>>>();
  #sums = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(logger: Logger) {
    this.#logger = logger.child({ log: 'audit' });
    this.#timer = setInterval(() => this.flush(), FLUSH_MS).unref();
  }

  allowed(caller: Caller, asked: Asked): void {
    this.#logger.info({ ...asked, ...whoIs(caller), decision: 'allowed' }, 'access decided');
  }

  /** `details` are further fields of the line, such as the check that a token failed. */
  refused(who: Suspect, asked: Asked, why: string, details: object = {}): void {
    this.#logger.info({ ...asked, ...whoIs(who), decision: 'refused', why, ...details }, 'access decided');
  }

  /** Counts a read, on the hot path: three look-ups and an addition. `source` has to be the name of one that exists. */
  allowedRead(caller: Caller | undefined, registry: string, source: string | undefined): void {
    let registries = this.#reads.get(caller);
    if (!registries) this.#reads.set(caller, (registries = new Map()));
    let sources = registries.get(registry);
    if (!sources) registries.set(registry, (sources = new Map()));
    const reads = sources.get(source) ?? 0;
    sources.set(source, reads + 1);
    if (reads === 0 && ++this.#sums >= API_LIMITS.auditSums) this.flush();
  }

  /** Writes down what was summed, and stops summing. */
  close(): void {
    clearInterval(this.#timer);
    this.flush();
  }

  private flush(): void {
    for (const [caller, registries] of this.#reads) {
      const who = caller ? whoIs(caller) : { subject: 'everybody' };
      for (const [registry, sources] of registries) {
        for (const [source, reads] of sources) {
          this.#logger.info({ registry, source, ...who, decision: 'allowed', reads }, 'reads allowed');
        }
      }
    }
    this.#reads.clear();
    this.#sums = 0;
  }
}

function whoIs({ provider, subject }: Suspect): object {
  return { provider, subject: subject?.slice(0, 256) };
}
