import { inject } from 'vitest';
import { signed } from '../../support/certificates.js';
import { startTcpPostgres } from '../../support/tcp-postgres.js';
import type { TcpPostgres } from '../../support/tcp-postgres.js';
import { apply, ensureNamespace } from './cluster.js';

interface ServiceName {
  readonly service: string;
  readonly namespace: string;
}

/**
 * Starts a Postgres on this machine behind a Service of the cluster. It accepts only TLS, and its certificate for the
 * name of the Service is signed by the authority in the chart's `caBundle`.
 */
export async function startClusterPostgres({ service, namespace }: ServiceName): Promise<TcpPostgres> {
  const altName = `DNS:${service}.${namespace}.svc.cluster.local`;
  const tls = await signed(inject('directory'), `${service}.${namespace}`, { ca: inject('authority'), altName });
  const postgres = await startTcpPostgres({ host: '0.0.0.0' });
  try {
    await postgres.setUp({ tls, hba: ['hostssl all all all scram-sha-256'] });
    await ensureNamespace(namespace);
    const name = 'postgres';
    await apply(
      [
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: service },
          spec: { ports: [{ name, port: 5432, targetPort: postgres.port }] },
        },
        {
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: { name: service, labels: { 'kubernetes.io/service-name': service } },
          addressType: 'IPv4',
          endpoints: [{ addresses: [inject('hostAddress')] }],
          ports: [{ name, port: postgres.port }],
        },
      ],
      namespace,
    );
    return postgres;
  } catch (error) {
    await postgres[Symbol.asyncDispose]();
    throw error;
  }
}
