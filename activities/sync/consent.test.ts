import { expect, it } from 'vitest';
import { givenConsent } from './consent.js';

const held = (heldTrigger: string | null, heldConfirmed = false) => ({
  heldRevision: 'small',
  heldTrigger,
  heldConfirmed,
  specHash: '4:aa',
});

it('consents to the blocked removals when the trigger has changed since', () => {
  expect(givenConsent(held(null), '4:aa', undefined)).toBeUndefined();
  expect(givenConsent(held('1'), '4:aa', '1')).toBeUndefined();
  expect(givenConsent(held('1'), '4:aa', undefined)).toBeUndefined();
  expect(givenConsent(held('1'), '4:aa', '2')).toBe('held');
  expect(givenConsent(held(null), '4:aa', '1')).toBe('held');
});

it('consents to the blocked removals when a sync was requested over the API', () => {
  expect(givenConsent(held('1', true), '4:aa', '1')).toBe('held');
  const nothingHeld = { heldRevision: null, heldTrigger: null, heldConfirmed: false, specHash: '4:aa' };
  expect(givenConsent(nothingHeld, '4:aa', '2')).toBeUndefined();
});

it('treats an edit of the source as consent, but not another version of the reader', () => {
  expect(givenConsent(held('1'), '4:bb', '1')).toBe('all');
  expect(givenConsent(held('1'), '5:aa', '1')).toBeUndefined();
  expect(givenConsent({ ...held('1'), specHash: null }, '4:aa', '1')).toBe('all');
});
