import { adminAccess } from '#api-server/start-api-server.js';
import type { ApiServerAddress } from '#api-server/start-api-server.js';
import type { ClusterAccess } from '#kubernetes/cluster-access.js';

export { adminAccess, startApiServer } from '#api-server/start-api-server.js';
export type { ApiServerAddress, RunningApiServer } from '#api-server/start-api-server.js';

/** As somebody else: RBAC decides what that user may do. */
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
