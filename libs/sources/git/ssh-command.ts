import type { SshFiles } from './environment.js';
import type { Remote } from './remote.js';

/**
 * Returns git's `core.sshCommand`, with which ssh rejects a host that is not in known_hosts, never prompts, and reads
 * no configuration of this machine. `address` is the checked address of the host; ssh connects to it and does not
 * resolve names itself.
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
    // The form in which known_hosts identifies a host, because ssh looks up an alias literally, without adding the
    // port.
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
