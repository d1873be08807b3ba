import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Content of every document, by path relative to the root. */
const documents = new Map<string, string>();

beforeAll(async () => {
  for await (const path of glob('{*.md,{docs,deploy,.github}/**/*.md}', { cwd: ROOT })) {
    documents.set(path, await readFile(join(ROOT, path), 'utf8'));
  }
});

const withoutCode = (text: string) => text.replace(/^(`{3,})[^]*?^\1/gm, '').replace(/`[^`\n]*`/g, '');

/** Returns the anchors of the headings, derived as on code hosting sites. */
function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  const headings = text.replace(/^(`{3,})[^]*?^\1/gm, '').matchAll(/^#{1,6} +(.*)$/gm);
  return new Set(
    Array.from(headings, ([, heading = '']) => {
      const slug = heading
        .toLowerCase()
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replace(/[^\p{L}\p{N}\- _]/gu, '')
        .replaceAll(' ', '-');
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
}

/** Returns the local targets of links and images, that is, those without a remote URL. */
function targetsOf(text: string): string[] {
  const links = withoutCode(text).matchAll(/\]\(<?([^)\s>]+)|\b(?:src|srcset|href)="([^"]+)"/g);
  return Array.from(links, ([, markdown, html]) => markdown ?? html ?? '').filter(
    (target) => !/^(https?|mailto):/.test(target),
  );
}

it('links to nothing that does not exist', () => {
  expect(documents.size).toBeGreaterThan(20);
  const broken: string[] = [];
  for (const [path, text] of documents) {
    for (const target of targetsOf(text)) {
      const [file = '', anchor] = target.split('#');
      const linked = file === '' ? path : normalize(join(dirname(path), decodeURI(file)));
      const isBroken = !existsSync(join(ROOT, linked));
      const other = documents.get(linked);
      const lacksAnchor = anchor !== undefined && other !== undefined && !anchorsOf(other).has(anchor);
      if (isBroken || lacksAnchor) broken.push(`${path}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

it('names no npm script that does not exist', async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  const unknown = [...documents].flatMap(([path, text]) =>
    Array.from(text.matchAll(/\bnpm run (?:--silent )?([a-z][\w:-]*)/g), ([, name = '']) => name)
      .filter((name) => !Object.hasOwn(scripts, name))
      .map((name) => `${path}: npm run ${name}`),
  );
  expect(unknown).toEqual([]);
});
