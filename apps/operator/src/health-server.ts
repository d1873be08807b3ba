import type { Listener } from '#listener/listen.js';
import { startTextListener } from '#listener/start-text-listener.js';
import type { TextListenerOptions } from '#listener/start-text-listener.js';

export interface Endpoints {
  /** What the operator still waits for; it is ready when there is nothing. */
  missing(): readonly string[];
  /** What does not work although the operator may be ready. */
  warnings(): readonly string[];
  metrics(): string;
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

/** Serves `/healthz` and `/readyz` on one port and `/metrics` on another. */
export async function startHealthServers(
  { missing, warnings, metrics }: Endpoints,
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
    answers: { '/metrics': () => ({ status: 200, text: metrics() }) },
    logger,
  }).catch(async (error: unknown) => {
    await health.close();
    throw error;
  });
  return { healthPort: health.port, metricsPort: metering.port, close: () => closeAll(health, metering) };
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
