import { describe, expect, it } from 'vitest';
import { describeVerdict } from './verdict.js';

describe('a verdict in words', () => {
  it.each([
    [{ verdict: 'served' }, 'Served'],
    [{ verdict: 'shadowed', by: 'ours' }, 'Shadowed by source ours, which comes first and has the same name'],
    [{ verdict: 'hidden', by: 'names.exclude: x*' }, 'Hidden by the filter rule names.exclude: x*'],
    [{ verdict: 'denied', by: 'deny[0]' }, 'Denied by the policy rule deny[0]'],
    [{ verdict: 'notPinned', by: 'pins[1]' }, 'Left out: the policy rule pins[1] pins another version'],
    [{ verdict: 'pending' }, 'Waiting for approval'],
    [{ verdict: 'refused', by: 'ann' }, 'Approval was refused by ann'],
    [{ verdict: 'young', until: '2026-12-14T12:00:00Z' }, /^Too young until .*2026/],
    [{ verdict: 'rewriteInvalid' }, 'Left out: the rewritten package location is not valid'],
    [{ verdict: 'quarantined', path: 'image', message: 'is missing' }, 'In quarantine: image is missing'],
    [{ verdict: 'deleted', until: '2026-11-02T12:00:00Z' }, /^Removed from the source on .*2026/],
    [{ verdict: 'notInPinnedRevision' }, 'Not in the pinned revision of the catalogue'],
    [{ verdict: 'notVisible' }, 'Not visible to you'],
    [{ verdict: 'absent' }, 'Not in this source'],
    [{ verdict: 'inventedLater' }, 'inventedLater'],
  ])('%j', (verdict, text) => {
    if (typeof text === 'string') expect(describeVerdict(verdict)).toBe(text);
    else expect(describeVerdict(verdict)).toMatch(text);
  });
});
