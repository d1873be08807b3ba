import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { RegExpParser } from '@eslint-community/regexpp';
import type { AST } from '@eslint-community/regexpp';
import { analyse } from 'scslre';
import ts from 'typescript';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CHARACTERS = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));

/**
 * Returns whether V8's matcher needs more than linear time for some string. May return a false positive if only other
 * parts of the expression prevent this.
 */
function isSuperlinear(literal: string): boolean {
  const { pattern, flags } = new RegExpParser().parseLiteral(literal);
  const { reports } = analyse({ pattern, flags }, { reportTypes: { Move: !flags.sticky, Self: true, Trade: true } });
  if (reports.length > 0) return true;
  return (
    !flags.sticky && pattern.alternatives.some(({ elements }) => movesThroughItself(flattened(elements), flags.raw))
  );
}

/**
 * Returns whether matching can take quadratic time, because a failed attempt has consumed text in which later
 * attempts also start. This happens if an
 * expression is not anchored, a later repetition also matches its start, and more has to follow the repetition.
 * `scslre` finds this only at the very start of an expression.
 */
function movesThroughItself(elements: readonly AST.Element[], flags: string): boolean {
  for (const [index, element] of elements.entries()) {
    if (element.type === 'Assertion' && element.kind === 'start') return false;
    const isLast = index === elements.length - 1;
    if (isLast || element.type !== 'Quantifier' || element.max !== Infinity) continue;
    const repeated = charactersOf([element.element], flags);
    const before = elements.slice(0, index).filter(({ type }) => type !== 'Assertion');
    if (before.every((each) => [...charactersOf([each], flags)].some((character) => repeated.has(character))))
      return true;
  }
  return false;
}

/**
 * Returns the elements, and replaces each group that has only one alternative with the elements of that alternative.
 */
function flattened(elements: readonly AST.Element[]): AST.Element[] {
  return elements.flatMap((element) => {
    const isGroup = element.type === 'Group' || element.type === 'CapturingGroup';
    return isGroup && element.alternatives.length === 1 ? flattened(element.alternatives[0]!.elements) : [element];
  });
}

/** Returns the Latin-1 characters that a match of these elements may contain. */
function charactersOf(elements: readonly AST.Element[], flags: string): Set<string> {
  const found = elements.flatMap((element): string[] => {
    if (element.type === 'Quantifier') return [...charactersOf([element.element], flags)];
    if (element.type === 'Group' || element.type === 'CapturingGroup') {
      return element.alternatives.flatMap((each) => [...charactersOf(each.elements, flags)]);
    }
    if (element.type === 'Assertion' || element.type === 'Backreference') return [];
    const one = new RegExp(`^${element.raw}$`, flags.replace(/[gy]/g, ''));
    return CHARACTERS.filter((character) => one.test(character));
  });
  return new Set(found);
}

/** Expressions that are linear for a reason that the analysis does not detect. */
const LINEAR: readonly string[] = [
  // If the first two alternatives run to the end of the text without a match, the third one matches up to the end.
  String.raw`/"((?:[^"\\]|\\.)*)"(?=\s*:)|"(?:[^"\\]|\\.)*"|"[^]*|[{}[\]]/g`,
  // Inside a quoted name, every quote follows a backslash. At the start of a name, it follows a bracket.
  String.raw`/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g`,
];

function expressionsIn(file: string, source: string): { readonly literal: string; readonly line: number }[] {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, false);
  const found: { literal: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      found.push({ literal: node.text, line: parsed.getLineAndCharacterOfPosition(node.getStart(parsed)).line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

it.each([
  String.raw`/\/\/\S*@/g`,
  String.raw`/\/+$/`,
  String.raw`/\.spec\.template\.((?:"(?:[^"\\]|\\.)*"|[^":\s])+): field/g`,
  String.raw`/\[((?:"(?:[^"\\]|\\.)*"|[^\]])*)\]/g`,
  String.raw`/^(?!git@)[^]*:[^]*@/`,
  String.raw`/repository .* not found/`,
])('recognizes that %s takes more than linear time', (literal) => {
  expect(isSuperlinear(literal)).toBe(true);
});

it('never matches untrusted text with an expression that takes more than linear time', async () => {
  const found: string[] = [];
  for await (const file of glob('{apps,workflows,activities,libs}/**/*.{ts,tsx}', { cwd: ROOT })) {
    if (/\.test\.tsx?$|\/testing\/|^libs\/devstack\//.test(file)) continue;
    for (const { literal, line } of expressionsIn(file, await readFile(`${ROOT}/${file}`, 'utf8'))) {
      if (!LINEAR.includes(literal) && isSuperlinear(literal)) found.push(`${file}:${line} ${literal}`);
    }
  }
  expect(found).toEqual([]);
});
