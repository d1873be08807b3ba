import { describe, expect, it } from 'vitest';
import { measureGroupMemory } from './group-memory.js';
import { commonLimitBytes, MemoryWatch } from './memory-watch.js';

const MIB = 1024 * 1024;
const LIMIT = 224 * MIB;

/** Watches commands of these sizes in MiB, and returns the sizes of those that a single check kills. */
async function endedOf(sizes: readonly number[], { totalMiB = 256 } = {}): Promise<number[]> {
  const ended: number[] = [];
  const watch = new MemoryWatch(totalMiB * MIB, async (pid) => ({
    residentBytes: sizes[pid]! * MIB,
    ownBytes: sizes[pid]! * MIB,
  }));
  const watched = sizes.map((_size, pid) =>
    watch.add({ pid, residentBytes: LIMIT, exceeded: () => void ended.push(sizes[pid]!) }),
  );
  await watch.check();
  for (const each of watched) each[Symbol.dispose]();
  return ended;
}

describe('the memory of all commands together', () => {
  it('is limited although each is within its own limit, and the largest are stopped first', async () => {
    expect(await endedOf([100, 90, 60])).toEqual([]);
    expect(await endedOf([20, 200, 120, 10])).toEqual([200]);
    expect(await endedOf([200, 210, 190, 220])).toEqual([220, 210, 200]);
  });

  it('admits as many waiting commands as the common limit allows', async () => {
    expect(await endedOf(Array.from({ length: 64 }, () => 4))).toEqual([]);
    expect(await endedOf([...Array.from({ length: 64 }, () => 3), 80])).toEqual([80]);
  });

  it('does not count a command that is stopped for its own size', async () => {
    expect(await endedOf([100, 300, 100])).toEqual([300]);
  });

  it('is measured without shared memory', async () => {
    const { ownBytes, residentBytes } = await measureGroupMemory(process.pid);
    expect(ownBytes).toBeGreaterThan(10 * MIB);
    expect(ownBytes).toBeLessThanOrEqual(residentBytes);
  });

  it('is half of what the process may use, within bounds', () => {
    expect(commonLimitBytes(512 * MIB, 64_000 * MIB)).toBe(256 * MIB);
    expect(commonLimitBytes(128 * MIB, 64_000 * MIB)).toBe(256 * MIB);
    expect(commonLimitBytes(0, 3_000 * MIB)).toBe(1500 * MIB);
    expect(commonLimitBytes(0, 64_000 * MIB)).toBe(2048 * MIB);
  });
});
