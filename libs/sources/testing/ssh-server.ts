import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/** The sshd of OpenSSH on loopback, for the user that runs the test. */
export interface SshServer extends AsyncDisposable {
  readonly port: number;
  readonly user: string;
  /** Private key with which clients may log in. */
  readonly key: string;
  /** `ssh-ed25519 AAAA…`: the part after the host in known_hosts. */
  readonly hostKey: string;
}

/** Path of sshd, which must be absolute. `SSHD` overrides it. Undefined if sshd is not found. */
export const sshd = [process.env['SSHD'], '/usr/sbin/sshd'].find((path) => path && existsSync(path));

export async function startSshServer(): Promise<SshServer> {
  const directory = await mkdtemp(join(tmpdir(), 'sshd-'));
  const path = (name: string) => join(directory, name);
  for (const name of ['host', 'client']) {
    await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path(name)]);
  }
  await writeFile(path('authorized_keys'), await readFile(path('client.pub')), { mode: 0o600 });
  const port = await freePort();
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${path('host')}`,
    `AuthorizedKeysFile ${path('authorized_keys')}`,
    `PidFile ${path('pid')}`,
    'PasswordAuthentication no',
    'UsePAM no',
    'PermitRootLogin yes',
    'StrictModes no',
  ];
  await writeFile(path('config'), config.join('\n'));
  if (userInfo().uid === 0) await mkdir('/run/sshd', { recursive: true });
  const server = spawn(sshd as string, ['-D', '-e', '-f', path('config')], { stdio: 'ignore' });
  await answering(port);
  return {
    port,
    user: userInfo().username,
    key: await readFile(path('client'), 'utf8'),
    hostKey: (await readFile(path('host.pub'), 'utf8')).split(' ').slice(0, 2).join(' '),
    async [Symbol.asyncDispose]() {
      server.kill();
      if (server.exitCode === null) await once(server, 'exit');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answering(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await pause(50);
  }
  throw new Error('sshd does not listen');
}
