import { expect, it } from 'vitest';
import { startTcpServer } from '#http/testing/http-server.js';
import { DatabasePool, poolConfig } from './database-pool.js';

it('a pool reports which database does not respond in time, to connecting and waiting clients', async () => {
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
