import { describe, expect, it } from 'vitest';
import { FIELD_MANAGER } from '#kubernetes/kubernetes-api.js';
import { heldBy, isOwnWrite, isTaken } from './own-fields.js';

const write = (manager: string, second: number, ...labels: string[]) => ({
  manager,
  time: `2026-11-22T00:00:0${second}Z`,
  fieldsV1: { 'f:metadata': { 'f:labels': Object.fromEntries(labels.map((label) => [`f:${label}`, {}])) } },
});
const ours = (second: number, ...labels: string[]) => write(FIELD_MANAGER, second, ...labels);
const object = (...managedFields: object[]) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's', managedFields },
});
const isTakenBetween = (before: object[], now: object[]) => isTaken(heldBy(object(...before)), heldBy(object(...now)));

it('recognizes its own write as the last one, regardless of later writes of the status', () => {
  expect(isOwnWrite(object(write('kubectl', 1, 'x'), ours(2, 'a')))).toBe(true);
  expect(isOwnWrite(object(ours(1, 'a'), write('kubectl', 2, 'x')))).toBe(false);
  expect(isOwnWrite(object(ours(1, 'a'), { ...write('controller', 2), subresource: 'status' }))).toBe(true);
});

describe('a field of the operator is taken over', () => {
  it('by a removal, which leaves no other trace', () => {
    expect(isTakenBetween([ours(1, 'a', 'b')], [ours(1, 'a')])).toBe(true);
    expect(isTakenBetween([ours(1, 'a')], [])).toBe(true);
  });

  it('neither by a write of the operator nor by a field of another manager', () => {
    expect(isTakenBetween([ours(1, 'a', 'b')], [ours(2, 'a')])).toBe(false);
    expect(isTakenBetween([ours(1, 'a')], [ours(1, 'a'), write('kubectl', 2, 'x')])).toBe(false);
    expect(isTakenBetween([], [ours(1, 'a')])).toBe(false);
  });
});
