import type { ChildProcess } from 'node:child_process';

const leaders = new Set<number>();

/** Remembers a child that leads a process group of its own, for {@link killAllGroups}, until it has ended. */
export function rememberLeader({ pid }: ChildProcess, ended: Promise<unknown>): void {
  if (pid === undefined) return;
  leaders.add(pid);
  void ended.catch(() => undefined).then(() => leaders.delete(pid));
}

/** SIGKILL for a process and all that it started in its group; nothing happens when they have ended already. */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // macOS answers EPERM for a group of zombies.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Kills every remembered group at once, without a graceful end. The next start repairs what they leave in their files. */
export function killAllGroups(): void {
  for (const leader of leaders) killGroup(leader);
}
