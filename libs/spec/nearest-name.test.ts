import { expect, it } from 'vitest';
import { nearestName } from './nearest-name.js';

const known = ['git', 'api', 'configMapRef', 'databaseConfig', 'auth', 'authConfig'];

it.each([
  ['gti', 'git'],
  ['configmapref', 'configMapRef'],
  ['databseConfig', 'databaseConfig'],
  ['authconf', 'authConfig'],
  ['apis', 'api'],
])('corrects %s to %s', (typed, meant) => {
  expect(nearestName(typed, known)).toBe(meant);
});

it.each(['repository', 'x', ''])('does not correct %j', (typed) => {
  expect(nearestName(typed, known)).toBeUndefined();
});
