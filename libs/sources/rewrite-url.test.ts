import { expect, it } from 'vitest';
import { rewriteUrl } from './rewrite-url.js';

const rules = [
  { from: 'https://git.example.com/', to: 'https://mirror.example/' },
  { from: 'https://git.example.com/team/', to: 'file:///srv/team/' },
  { from: '', to: 'https://never.example/' },
];

it.each([
  ['https://git.example.com/other/x.git', 'https://mirror.example/other/x.git'],
  ['https://git.example.com/team/x.git', 'file:///srv/team/x.git'],
  ['https://example.org/x.git', 'https://example.org/x.git'],
])('sends %s to %s', (url, target) => {
  expect(rewriteUrl(url, rules)).toBe(target);
  expect(rewriteUrl(url, rules.toReversed())).toBe(target);
});
