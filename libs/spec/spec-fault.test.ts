import { beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { nearestName } from './nearest-name.js';
import {
  FAULTS_LIMIT,
  formatFault,
  joinFaults,
  MAX_FAULTS,
  MAX_UNKNOWN_FIELDS,
  parseWithFaults,
} from './spec-fault.js';

// Counts the calls of the real function.
vi.mock('./nearest-name.js', { spy: true });
beforeEach(() => void vi.mocked(nearestName).mockClear());

const schema = z.object({ list: z.array(z.strictObject({ name: z.string().optional() })) });
const withUnknown = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, 1]));

function faultsOf(list: unknown[]) {
  const parsed = parseWithFaults(schema, { list });
  return 'faults' in parsed ? parsed.faults.map(formatFault) : [];
}

describe('the faults of a value', () => {
  it('are all listed up to the limit', () => {
    expect(faultsOf([withUnknown(MAX_FAULTS)])).toHaveLength(MAX_FAULTS);
  });

  it('beyond the limit are only counted, and not compared with known names', () => {
    const faults = faultsOf([withUnknown(MAX_UNKNOWN_FIELDS), withUnknown(MAX_UNKNOWN_FIELDS)]);
    expect(faults).toHaveLength(MAX_FAULTS + 1);
    expect(faults.at(-1)).toBe(`has ${2 * MAX_UNKNOWN_FIELDS - MAX_FAULTS} more faults: correct the others first`);
    expect(nearestName).toHaveBeenCalledTimes(MAX_FAULTS);
  });

  it('are combined for an object with very many unknown fields', () => {
    expect(faultsOf([withUnknown(MAX_UNKNOWN_FIELDS + 1)])).toEqual([
      'list[0]: has 101 fields that are not known here, the first of them "f0": remove them',
    ]);
    expect(nearestName).not.toHaveBeenCalled();
  });

  it('are short if names are long, and their joined text is truncated', () => {
    const [fault = ''] = faultsOf([{ ['x'.repeat(1_000_000)]: 1 }]);
    expect(fault.length).toBeLessThan(300);
    expect(joinFaults(Array.from({ length: 100 }, () => fault))).toHaveLength(FAULTS_LIMIT);
  });
});
