import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

it('runs before each script that a fresh clone may start with', async () => {
  const { scripts } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>;
  };
  // The scripts `check:*` are skipped, because `check` runs them.
  const names = Object.keys(scripts).filter((name) => !name.startsWith('pre') && !name.startsWith('check:'));
  const unprepared = names.filter((name) => !scripts[`pre${name}`]?.startsWith('node tools/install-if-missing.mjs'));
  expect(unprepared).toEqual([]);
});
