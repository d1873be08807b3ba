import { adminAccess, startApiServer as startAt } from '#api-server/start-api-server.js';
import type { ApiServerAddress, RunningApiServer } from '#api-server/start-api-server.js';
import type { ClusterAccess } from '#kubernetes/cluster-access.js';
import { nextFreePort } from './free-port.js';

export { adminAccess } from '#api-server/start-api-server.js';
export type { ApiServerAddress, RunningApiServer } from '#api-server/start-api-server.js';

export async function startApiServer(directory: string): Promise<RunningApiServer> {
  return startAt(directory, {
    etcd: await nextFreePort(),
    etcdPeers: await nextFreePort(),
    server: await nextFreePort(),
  });
}

/** Returns access as another user. RBAC decides what this user may do. */
export function accessAs(address: ApiServerAddress, user: string): ClusterAccess {
  const admin = adminAccess(address);
  return {
    ...admin,
    async credentials() {
      const { headers, tls } = await admin.credentials();
      return { headers: { ...headers, 'impersonate-user': user }, tls };
    },
  };
}
