import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { patientRetries } from './patient-retries.js';

/** The address of a Temporal server and the credentials for it. */
export interface TemporalEndpoint {
  /** The address as `host:port`. */
  readonly address: string;
  readonly namespace: string;
  readonly apiKey?: string;
  /** The name in the server's certificate, if it differs from the host in the address. */
  readonly serverName?: string;
  /** Certificate authorities in PEM format, which replace those of the system. */
  readonly ca?: string;
  /** The client's certificate in PEM format. */
  readonly certificate?: string;
  readonly key?: string;
}

export interface TemporalAccess {
  readonly client: Client;
  /** The connection that workers use. */
  readonly connection: NativeConnection;
  close(): Promise<void>;
}

/** Connects the client and the workers. The error contains the address that did not respond. */
export async function connectTemporal(endpoint: TemporalEndpoint): Promise<TemporalAccess> {
  const { address, namespace, apiKey } = endpoint;
  const options = { address, ...(apiKey !== undefined && { apiKey }), ...tlsOf(endpoint) };
  const retries = patientRetries();
  const { interceptors } = retries;
  const attempt = async (): Promise<TemporalAccess> => {
    const clientConnection = await Connection.connect({ ...options, interceptors, connectTimeout: '10s' });
    try {
      const connection = await NativeConnection.connect(options);
      return {
        client: new Client({ connection: clientConnection, namespace }),
        connection,
        async close() {
          await connection.close();
          await retries.settle();
          await clientConnection.close();
        },
      };
    } catch (error) {
      await clientConnection.close();
      throw error;
    }
  };
  return attempt().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`no Temporal server answers at ${address} (${why})`);
  });
}

/** Returns the TLS options. TLS is enabled if any setting is present that makes sense only with TLS. */
function tlsOf({ apiKey, serverName, ca, certificate, key }: TemporalEndpoint): { tls?: object } {
  if ([apiKey, serverName, ca, certificate, key].every((each) => each === undefined)) return {};
  return {
    tls: {
      ...(serverName !== undefined && { serverNameOverride: serverName }),
      ...(ca !== undefined && { serverRootCACertificate: Buffer.from(ca) }),
      ...(certificate !== undefined &&
        key !== undefined && { clientCertPair: { crt: Buffer.from(certificate), key: Buffer.from(key) } }),
    },
  };
}
