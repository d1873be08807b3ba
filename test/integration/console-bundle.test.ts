import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { projectRoot } from '#environment/project-root.js';

interface Measured {
  readonly path: string;
  readonly bytes: number;
  readonly isFirst: boolean;
}

/**
 * The functions that print and check the sizes in the build. They are plain JavaScript, because the build must be able
 * to run them directly.
 */
const { findExcess, measureConsole } = (await import(new URL('tools/console-budget.mjs', projectRoot).href)) as {
  measureConsole(folder: string): Measured[];
  findExcess(files: readonly Measured[]): string[];
};

const BUNDLE = fileURLToPath(new URL('dist/apps/console', projectRoot));
/** Names of the XML namespaces in which Preact creates elements. No request is sent to these URLs. */
const VOCABULARIES = [
  'http://www.w3.org/2000/svg',
  'http://www.w3.org/1999/xhtml',
  'http://www.w3.org/1998/Math/MathML',
];

let texts: Map<string, string>;

beforeAll(async () => {
  const names = ['index.html', ...(await readdir(join(BUNDLE, 'console'))).map((name) => join('console', name))];
  const read = names.map(async (name) => [name, await readFile(join(BUNDLE, name), 'utf8')] as const);
  texts = new Map(await Promise.all(read));
});

it('weighs no more than it may, and a heavier one is told apart', () => {
  const files = measureConsole(BUNDLE);
  expect(files.length).toBeGreaterThan(5);
  expect(findExcess(files)).toEqual([]);
  const heavy = { path: 'console/more.js', bytes: 150_000, isFirst: false };
  expect(findExcess([...files, heavy])).toEqual([expect.stringContaining('everything')]);
  expect(findExcess([...files, { ...heavy, isFirst: true }])).toHaveLength(2);
});

it('refers to nothing by an absolute address, and to no source map', () => {
  for (const [name, text] of texts) {
    if (name.endsWith('.txt')) continue;
    const addresses = [...text.matchAll(/https?:\/\/[\w.-]+[\w/.-]*/g)].map(([address]) => address);
    const strange = addresses.filter((address) => !VOCABULARIES.includes(address) && address !== INSTALL_PAGE);
    expect(strange, name).toEqual([]);
    expect(text, name).not.toContain('sourceMappingURL');
  }
  const links = [...(texts.get('index.html') ?? '').matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url);
  expect(links.length).toBeGreaterThan(2);
  expect(links.filter((url) => !url?.startsWith('./'))).toEqual([]);
});

/** The page to which install links for VS Code lead. Links in exports are compared with it. */
const INSTALL_PAGE = 'https://vscode.dev/redirect/mcp/install';

it('names the licence of every library in it', () => {
  const licences = texts.get('console/licences.txt') ?? '';
  for (const library of ['preact', 'uplot', 'oauth4webapi']) expect(licences).toContain(`## ${library} - `);
  expect(licences).toContain('Permission is hereby granted');
});

it('has no inline script and no inline style, which the policy would refuse', () => {
  const page = texts.get('index.html') ?? '';
  expect(page).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)|\son\w+=/);
});
