import { totalmem } from 'node:os';
import { measureGroupMemory } from './group-memory.js';
import type { GroupMemory } from './group-memory.js';

const CHECK_MS = 100;
const MIB = 1024 * 1024;

/** A running command, with the memory of all its processes. */
export interface WatchedCommand {
  /** Id of the process that leads its group. */
  readonly pid: number;
  /** Maximum resident memory in bytes. */
  readonly residentBytes: number;
  /** Called if a limit is exceeded. Stops the command. */
  exceeded(message: string): void;
}

/**
 * Monitors the memory of all commands that this process runs. Each has its own limit, and there is a common limit for
 * all of them, because many commands within their own limits can still need more than the process may use. If the
 * common limit is exceeded, the largest command is stopped, so that the others are not affected.
 */
export class MemoryWatch {
  private readonly commands = new Set<WatchedCommand>();
  private timer: NodeJS.Timeout | undefined;

  /** Maximum memory of all commands together, not counting memory shared with other processes. */
  private readonly totalBytes: number;
  private readonly measure: (pid: number) => Promise<GroupMemory>;

  // No parameter properties, because tests load this file in plain Node, whose type stripping does not support them.
  constructor(totalBytes: number, measure: (pid: number) => Promise<GroupMemory> = measureGroupMemory) {
    this.totalBytes = totalBytes;
    this.measure = measure;
  }

  /** Monitors a command until the result is disposed of. */
  add(command: WatchedCommand): Disposable {
    this.commands.add(command);
    this.timer ??= setInterval(() => void this.check().catch(() => undefined), CHECK_MS).unref();
    return { [Symbol.dispose]: () => this.remove(command) };
  }

  /** Measures every command once. */
  async check(): Promise<void> {
    const measured = await Promise.all(
      [...this.commands].map(async (command) => ({ command, ...(await this.measure(command.pid)) })),
    );
    const [large, within] = [true, false].map((isLarge) =>
      measured.filter(({ command, residentBytes }) => residentBytes > command.residentBytes === isLarge),
    );
    for (const { command, residentBytes } of large!) command.exceeded(`it used ${residentBytes} bytes of memory`);
    this.endLargest(within!);
  }

  private endLargest(measured: readonly (GroupMemory & { readonly command: WatchedCommand })[]): void {
    let bytes = measured.reduce((sum, { ownBytes }) => sum + ownBytes, 0);
    for (const { command, ownBytes } of measured.toSorted((a, b) => b.ownBytes - a.ownBytes)) {
      if (bytes <= this.totalBytes) return;
      bytes -= ownBytes;
      command.exceeded(`it used ${ownBytes} bytes of memory, the most of all running commands`);
    }
  }

  private remove(command: WatchedCommand): void {
    this.commands.delete(command);
    if (this.commands.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

const LEAST_BYTES = 256 * MIB;
const MOST_BYTES = 2048 * MIB;

/**
 * Returns half of the memory that this process may use, according to its control group or the machine, within a minimum
 * and a maximum.
 */
export function commonLimitBytes(constrained = process.constrainedMemory(), total = totalmem()): number {
  // Without a limit, `constrained` is 0 or more than the total memory.
  const usable = constrained > 0 ? Math.min(constrained, total) : total;
  return Math.min(MOST_BYTES, Math.max(LEAST_BYTES, usable / 2));
}

/** The memory watch of this process. */
export const memoryWatch = new MemoryWatch(commonLimitBytes());
