import { isIP } from 'node:net';

/**
 * Returns a check of the `Host` header (RFC 9110, 7.2) for a server that listens on a loopback address, or undefined
 * for any other server. A web page can make its own host name resolve to 127.0.0.1 (DNS rebinding) and then read the
 * responses of this server. The browser still sends that name as the host, so the request can be rejected. `allowed`
 * are additional names, such as that of a proxy in front of the server.
 */
export function loopbackHostCheck(
  listensAt: string,
  allowed: readonly string[] = [],
): ((host: string | undefined) => boolean) | undefined {
  if (!isLoopback(listensAt)) return undefined;
  const names = new Set(allowed.map((name) => name.toLowerCase()));
  let lastAccepted: string | undefined;
  return (host) => {
    // Fast path: nearly all requests have the same host as the previous one.
    if (host !== undefined && host === lastAccepted) return true;
    // HTTP/1.0 does not require this header, and browsers do not use HTTP/1.0.
    if (host === undefined) return true;
    const name = withoutPort(host).toLowerCase();
    const isAccepted = isLoopback(name) || names.has(name);
    if (isAccepted) lastAccepted = host;
    return isAccepted;
  };
}

/** Returns whether a host is a name that resolves to this machine (RFC 6761, 6.3) or a loopback address. */
function isLoopback(name: string): boolean {
  const bare = name.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true;
  return bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, '');
}
