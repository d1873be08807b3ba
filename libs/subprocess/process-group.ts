import type { ChildProcess } from 'node:child_process';

const leaders = new Set<number>();

/** Remembers a child process that leads its own process group until it has ended, for {@link killAllGroups}. */
export function rememberLeader({ pid }: ChildProcess, ended: Promise<unknown>): void {
  if (pid === undefined) return;
  leaders.add(pid);
  void ended.catch(() => undefined).then(() => leaders.delete(pid));
}

/** Sends SIGKILL to a process and all processes in its group. Does nothing if they have already ended. */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // macOS returns EPERM for a group of zombies.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Kills every remembered group immediately, without a graceful shutdown. The next start repairs their files. */
export function killAllGroups(): void {
  for (const leader of leaders) killGroup(leader);
}
