import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';

export interface TemporalAccess {
  readonly client: Client;
  /** For workers. */
  readonly connection: NativeConnection;
  close(): Promise<void>;
}

/** Connects client and workers to `address` (`host:port`); the error says which address did not answer. */
export async function connectTemporal(address: string, namespace: string): Promise<TemporalAccess> {
  const attempt = async (): Promise<TemporalAccess> => {
    const clientConnection = await Connection.connect({ address, connectTimeout: '10s' });
    const connection = await NativeConnection.connect({ address });
    return {
      client: new Client({ connection: clientConnection, namespace }),
      connection,
      async close() {
        await connection.close();
        await clientConnection.close();
      },
    };
  };
  return attempt().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`no Temporal server answers at ${address} (${why})`);
  });
}
