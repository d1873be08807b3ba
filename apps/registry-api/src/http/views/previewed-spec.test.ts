import { describe, expect, it } from 'vitest';
import { API_LIMITS } from '../../limits.js';
import { Refusal } from '../../refusal.js';
import { readPreviewedSpec } from './previewed-spec.js';

const { yamlCharacters, patternCharacters } = API_LIMITS.preview;

const YAML = 'auth: {mode: anonymous}\nregistries: [{name: a, format: upstream, configMapRef: {name: a, key: a}}]\n';
const read = (text: string) => readPreviewedSpec(Buffer.from(text));
const padded = (characters: number) => `${YAML}#`.padEnd(characters, '-');

describe('the text of a previewed spec', () => {
  it('is JSON or YAML, of a spec or a whole resource', () => {
    const names = [YAML, `spec:\n${YAML.replace(/^/gm, '  ')}`].map((text) => read(text).registries[0]?.name);
    expect(names).toEqual(['a', 'a']);
  });

  it('is YAML only up to a length that can be parsed quickly, hostile or not', () => {
    expect(read(padded(yamlCharacters)).registries).toHaveLength(1);
    for (const text of [padded(yamlCharacters + 1), `[${','.repeat(yamlCharacters)}`, '}\n'.repeat(yamlCharacters)]) {
      expect(() => read(text)).toThrow(`YAML may have at most ${yamlCharacters} characters: send JSON`);
    }
  });

  it('has a configYAML up to the same length', () => {
    const config = YAML.replace('configMapRef: {name: a, key: a}', 'file: {path: /a.json}');
    const withConfig = (characters: number) =>
      JSON.stringify({ spec: { configYAML: `${config}#`.padEnd(characters, '-') } });
    expect(read(withConfig(yamlCharacters)).registries).toHaveLength(1);
    expect(() => read(withConfig(yamlCharacters + 1))).toThrow(
      `configYAML may have at most ${yamlCharacters} characters`,
    );
  });
});

it('limits the patterns of all sources together', () => {
  const withPatterns = (more: number) => {
    const patterns = Array.from({ length: 16 }, () => '*'.repeat(256));
    const registries = Array.from({ length: 4 }, (_, at) => ({
      name: `s${at}`,
      format: 'upstream',
      configMapRef: { name: 'a', key: 'a' },
      filter: { names: { include: patterns, ...(at === 0 && more > 0 && { exclude: ['a'.repeat(more)] }) } },
    }));
    return JSON.stringify({ auth: { mode: 'anonymous' }, registries });
  };
  expect(patternCharacters).toBe(4 * 16 * 256);
  expect(read(withPatterns(0)).registries).toHaveLength(4);
  expect(() => read(withPatterns(1))).toThrow(Refusal);
  expect(() => read(withPatterns(1))).toThrow(`have ${patternCharacters + 1} characters`);
});
