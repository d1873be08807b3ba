import { expect, it } from 'vitest';
import { confirmedRevision } from './consent.js';

const held = (heldTrigger: string | null, confirmed: string | null = null) => ({
  heldRevision: 'small',
  heldTrigger,
  confirmedRevision: confirmed,
});

it('confirms what was held back when the trigger has another value since', () => {
  expect(confirmedRevision(held(null), undefined)).toBeUndefined();
  expect(confirmedRevision(held('1'), '1')).toBeUndefined();
  expect(confirmedRevision(held('1'), undefined)).toBeUndefined();
  expect(confirmedRevision(held('1'), '2')).toBe('small');
  expect(confirmedRevision(held(null), '1')).toBe('small');
});

it('confirms what was held back when a sync was asked for over the API, and nothing else', () => {
  expect(confirmedRevision(held('1', 'small'), '1')).toBe('small');
  expect(confirmedRevision(held('1', 'another'), '1')).toBeUndefined();
  expect(confirmedRevision({ heldRevision: null, heldTrigger: null, confirmedRevision: null }, '2')).toBeUndefined();
});
