import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { shortened } from '#domain/shortened.js';
import { API_LIMITS } from '../limits.js';
import type { Caller } from './caller.js';

/** A request as it appears in the log. Paths are logged without their query, which could contain a token. */
export interface DescribedRequest {
  readonly requestId: string;
  readonly registry: string;
  readonly method: string;
  readonly path: string;
  readonly address: string;
}

export function describeRequest(
  request: FastifyRequest,
  registry: Pick<RegistryRef, 'namespace' | 'name'>,
): DescribedRequest {
  const [path = ''] = request.originalUrl.split('?');
  return {
    requestId: request.id,
    registry: displayRef(registry),
    method: request.method,
    path: shortened(path, API_LIMITS.auditPathLength),
    address: request.ip,
  };
}

/** The known facts about a refused caller, such as the provider that rejected the token. */
interface Suspect {
  readonly provider?: string | undefined;
  readonly subject?: string | undefined;
}

/** Interval at which the sums of reads are logged. */
const FLUSH_MS = 60_000;

/**
 * Logs every decision: the caller, the request, the decision and its reason, but never a token. Allowed reads of the
 * catalogue are summed, with one line per caller, source and minute, because a line for each would cost as much as the
 * response itself.
 */
export class AuditLog {
  readonly #logger: Logger;
  /**
   * Numbers of reads by caller (undefined: everybody), registry, and source (undefined: all that the caller may see).
   */
  readonly #reads = new Map<Caller | undefined, Map<string, Map<string | undefined, number>>>();
  #sums = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(logger: Logger) {
    this.#logger = logger.child({ log: 'audit' });
    this.#timer = setInterval(() => this.flush(), FLUSH_MS).unref();
  }

  allowed(caller: Caller, request: DescribedRequest): void {
    this.#logger.info({ ...request, ...whoIs(caller), decision: 'allowed' }, 'access decided');
  }

  /** Logs a refusal. `details` are additional fields of the line, such as the check that a token failed. */
  refused(who: Suspect, request: DescribedRequest, why: string, details: object = {}): void {
    this.#logger.info({ ...request, ...whoIs(who), decision: 'refused', why, ...details }, 'access decided');
  }

  /**
   * Counts a read. This is a hot path, so it costs only three look-ups and an addition. `source` must be the name of an
   * existing source.
   */
  allowedRead(caller: Caller | undefined, registry: string, source: string | undefined): void {
    let registries = this.#reads.get(caller);
    if (!registries) this.#reads.set(caller, (registries = new Map()));
    let sources = registries.get(registry);
    if (!sources) registries.set(registry, (sources = new Map()));
    const reads = sources.get(source) ?? 0;
    sources.set(source, reads + 1);
    if (reads === 0 && ++this.#sums >= API_LIMITS.auditSums) this.flush();
  }

  /** Logs the current sums and stops the timer. */
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
