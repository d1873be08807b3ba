import type { ClusterAccess } from '#kubernetes/cluster-access.js';
import { HttpTransport } from '#kubernetes/http-transport.js';
import { adminAccess } from './api-server.js';
import type { ApiServerAddress } from './api-server.js';

interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** Returns a token of a ServiceAccount, as the kubelet gets it for a pod. */
export async function tokenOf(address: ApiServerAddress, { namespace, name }: Account): Promise<string> {
  const transport = new HttpTransport(adminAccess(address));
  try {
    const value = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 3600 },
    };
    const answer = await transport.call({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      body: { contentType: 'application/json', value },
      attempt: `get a token of ${name}`,
    });
    return (answer as { status: { token: string } }).status.token;
  } finally {
    await transport.close();
  }
}

/** Returns access as a ServiceAccount itself: unlike impersonation by the administrator, it has no rights but those of the account. */
export async function accessByToken(address: ApiServerAddress, account: Account): Promise<ClusterAccess> {
  const token = await tokenOf(address, account);
  return {
    server: new URL(address.server),
    credentials: async () => ({ headers: { authorization: `Bearer ${token}` }, tls: { ca: address.ca } }),
  };
}
