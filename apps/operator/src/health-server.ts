import type { Listener } from '#listener/listen.js';
import { startTextListener } from '#listener/start-text-listener.js';
import type { TextAnswer, TextListenerOptions, TextRequest } from '#listener/start-text-listener.js';
import type { AccessReviewer } from '#kubernetes/access-reviewer.js';

export interface Endpoints {
  /** What the operator is still waiting for. It is ready when the list is empty. */
  missing(): readonly string[];
  /** Problems that do not make the operator unready. */
  warnings(): readonly string[];
  metrics(): string;
  /** Decides who may read the metrics. If absent, everybody may. */
  readonly reviewer?: Pick<AccessReviewer, 'review'>;
}

export interface HealthServers {
  readonly healthPort: number;
  readonly metricsPort: number;
  close(): Promise<void>;
}

export interface HealthPorts {
  readonly host: string;
  readonly healthPort: number;
  readonly metricsPort: number;
}

const METRICS_PATH = '/metrics';

/** Serves `/healthz` and `/readyz` on one port and `/metrics` on another. */
export async function startHealthServers(
  { missing, warnings, metrics, reviewer }: Endpoints,
  { host, ...ports }: HealthPorts,
  logger: TextListenerOptions['logger'],
): Promise<HealthServers> {
  const health = await startTextListener({
    host,
    port: ports.healthPort,
    portSetting: 'HEALTH_PORT',
    answers: { '/healthz': () => ({ status: 200, text: 'ok\n' }), '/readyz': () => readiness(missing(), warnings()) },
    logger,
  });
  const metering = await startTextListener({
    host,
    port: ports.metricsPort,
    portSetting: 'METRICS_PORT',
    answers: {
      [METRICS_PATH]: async (request) =>
        (reviewer && (await refusal(reviewer, request, logger))) ?? { status: 200, text: metrics() },
    },
    logger,
  }).catch(async (error: unknown) => {
    await health.close();
    throw error;
  });
  return { healthPort: health.port, metricsPort: metering.port, close: () => closeAll(health, metering) };
}

/** Returns the error response for a request that may not read the metrics; undefined if it may. */
async function refusal(
  reviewer: NonNullable<Endpoints['reviewer']>,
  { authorization }: TextRequest,
  logger: TextListenerOptions['logger'],
): Promise<TextAnswer | undefined> {
  try {
    const access = await reviewer.review(authorization, METRICS_PATH);
    if (access === 'allowed') return undefined;
    return access === 'forbidden'
      ? { status: 403, text: `forbidden: the right to get ${METRICS_PATH} is missing\n` }
      : { status: 401, text: 'unauthorized: send a token of this cluster\n' };
  } catch (err) {
    logger.error({ err }, 'cannot review access to metrics');
    return { status: 503, text: 'the API server did not respond to the access review; retry later\n' };
  }
}

function readiness(missing: readonly string[], warnings: readonly string[]) {
  const details = warnings.map((warning) => `warning: ${warning}\n`).join('');
  return missing.length === 0
    ? { status: 200, text: `ok\n${details}` }
    : { status: 503, text: `not ready: ${missing.join(', ')}\n${details}` };
}

async function closeAll(...listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close()));
}
