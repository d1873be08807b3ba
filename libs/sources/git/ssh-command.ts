import type { SshFiles } from './environment.js';
import type { Remote } from './remote.js';

/**
 * Returns git's `core.sshCommand`: a host that is not in known_hosts is refused, nothing is asked for, and no configuration of this
 * machine is read. `address` is the address of the host that was judged; ssh connects to it and resolves nothing itself.
 */
export function sshCommand({ key, knownHosts }: SshFiles, { host, port }: Remote, address: string): string {
  const name = host.toLowerCase();
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'PreferredAuthentications=publickey',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile="${knownHosts}"`,
    'GlobalKnownHostsFile=/dev/null',
    'ClearAllForwardings=yes',
    'ConnectTimeout=15',
    'ServerAliveInterval=10',
    'ServerAliveCountMax=3',
    `HostName=${address}`,
    // The form in which known_hosts names a host: ssh looks an alias up literally, without the port.
    `HostKeyAlias=${port === 22 ? name : `[${name}]:${port}`}`,
    'CheckHostIP=no',
    'CanonicalizeHostname=no',
    'ProxyCommand=none',
    'ProxyJump=none',
  ];
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  return ['ssh', '-F', '/dev/null', '-i', quoted(key), ...options.flatMap((option) => ['-o', quoted(option)])].join(
    ' ',
  );
}
