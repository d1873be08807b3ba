import type { ClusterAccess } from '#kubernetes/cluster-access.js';
import { HttpTransport } from '#kubernetes/http-transport.js';
import { adminAccess } from './start-api-server.js';
import type { ApiServerAddress } from './start-api-server.js';

interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** Returns a token of a ServiceAccount, like the one that the kubelet gets for a pod. */
export async function tokenOf(
  address: ApiServerAddress,
  { namespace, name }: Account,
  expirationSeconds = 3600,
): Promise<string> {
  const transport = new HttpTransport(adminAccess(address));
  try {
    const value = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds },
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

/**
 * Returns access as a ServiceAccount itself. Unlike impersonation by the administrator, it has only the rights of that
 * account.
 */
export async function accessByToken(address: ApiServerAddress, account: Account): Promise<ClusterAccess> {
  const token = await tokenOf(address, account);
  return {
    server: new URL(address.server),
    credentials: async () => ({ headers: { authorization: `Bearer ${token}` }, tls: { ca: address.ca } }),
  };
}
