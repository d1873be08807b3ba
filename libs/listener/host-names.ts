import { isIP } from 'node:net';

/**
 * Returns a check of the `Host` header (RFC 9110, 7.2) for a server that listens on a loopback address, or undefined for every
 * other server. A web page can make its own host name resolve to 127.0.0.1 (DNS rebinding) and then read what this server
 * answers; the browser still sends that name, so that it can be refused. `allowed` are further names, such as that of a
 * proxy in front.
 */
export function loopbackHostCheck(
  listensAt: string,
  allowed: readonly string[] = [],
): ((host: string | undefined) => boolean) | undefined {
  if (!isLoopback(listensAt)) return undefined;
  const names = new Set(allowed.map((name) => name.toLowerCase()));
  let lastAccepted: string | undefined;
  return (host) => {
    // Nearly all requests name the host that the one before named.
    if (host !== undefined && host === lastAccepted) return true;
    // HTTP/1.0 has no such header, and browsers do not speak it.
    if (host === undefined) return true;
    const name = withoutPort(host).toLowerCase();
    const isAccepted = isLoopback(name) || names.has(name);
    if (isAccepted) lastAccepted = host;
    return isAccepted;
  };
}

/** Names that resolve to this machine (RFC 6761, 6.3) and addresses that stay in it. */
function isLoopback(name: string): boolean {
  const bare = name.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true;
  return bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, '');
}
