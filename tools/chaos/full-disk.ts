import { execFile } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const CHUNK = Buffer.alloc(1024 * 1024);

/** A folder on a separate file system (tmpfs), which can be filled completely. Mounting it requires root. */
export class SmallDisk implements AsyncDisposable {
  /** Whether the disk has been filled at least once. */
  wasFull = false;

  private constructor(private readonly directory: string) {}

  static async mount(directory: string, megabytes: number): Promise<SmallDisk> {
    await mkdir(directory, { recursive: true });
    await exec('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'mcp-registry-chaos', directory]);
    return new SmallDisk(directory);
  }

  async fill(): Promise<void> {
    this.wasFull = true;
    const file = await open(this.filler, 'w');
    try {
      for (;;) await file.write(CHUNK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      await file.close();
    }
  }

  async empty(): Promise<void> {
    await rm(this.filler, { force: true });
  }

  /** Unmounts the file system, even if a process that is about to exit still uses it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await exec('umount', ['--lazy', this.directory]);
  }

  private get filler(): string {
    return join(this.directory, 'filler');
  }
}
