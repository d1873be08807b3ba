import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * Returns whether this specific process listens on a TCP port. A response on the port proves less: if two servers are
 * started for the same port at the same time, each of them seems to respond until one of them notices and exits.
 */
export function listensOn(pid: number, port: number): Promise<boolean> {
  return process.platform === 'linux' ? listensByProc(pid, port) : listensByLsof(pid, port);
}

/** State of a listening socket in /proc/net/tcp (proc_pid_net(5)). */
const LISTEN = '0A';

async function listensByProc(pid: number, port: number): Promise<boolean> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/${pid}/net/${table}`, 'utf8').catch(() => '')),
  );
  const inodes = tables
    .flatMap((table) => table.split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(`:${hexPort}`))
    .map((fields) => fields[9]);
  if (inodes.length === 0) return false;
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return inodes.some((inode) => targets.includes(`socket:[${inode}]`));
}

/** Checks the port with lsof, which exits with code 1 if nothing matches. */
function listensByLsof(pid: number, port: number): Promise<boolean> {
  const selection = ['-nP', '-a', '-p', String(pid), `-iTCP:${port}`, '-sTCP:LISTEN'];
  return promisify(execFile)('/usr/sbin/lsof', selection).then(
    () => true,
    () => false,
  );
}
