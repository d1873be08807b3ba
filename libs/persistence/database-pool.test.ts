import { expect, it } from 'vitest';
import { startTcpServer } from '#http/testing/http-server.js';
import { DatabasePool, poolConfig } from './database-pool.js';

it('a pool says which database does not answer in time, to the client that connects and to those that wait behind it', async () => {
  await using silent = await startTcpServer(() => undefined);
  const { hostname, port } = new URL(silent.url);
  const access = { host: hostname, port: Number(port), user: 'app', database: 'registry' };
  const pool = new DatabasePool(access, poolConfig(access, 1, { connectionTimeoutMillis: 200 }));
  try {
    const failures = await Promise.allSettled([pool.connect(), pool.connect(), pool.query('SELECT 1')]);
    for (const failure of failures) {
      expect(failure).toMatchObject({
        status: 'rejected',
        reason: {
          reason: 'DatabaseUnreachable',
          destiny: 'retry',
          message: expect.stringContaining(`:${port} as app`),
        },
      });
    }
  } finally {
    await pool.end();
  }
});
