import { describe, expect, it } from 'vitest';
import { parseConfigYaml } from './config-yaml.js';
import { CONFIG_LIMIT } from '#spec/raw-spec.js';

const faultsOf = (text: string): readonly string[] => {
  const read = parseConfigYaml(text);
  return 'faults' in read ? read.faults.map(({ line, message }) => `line ${line}: ${message}`) : [];
};

describe('aliases', () => {
  it.each([
    ['of a value', 'a: &a 1\nb: *a', 'line 2: has an alias (*name), which is not allowed: write the value out'],
    [
      'of nothing but empty lists, which count as nothing',
      'a: &a [[], []]\nb: [*a, *a]',
      'line 2: has an alias (*name)',
    ],
    ['as a key', 'a: &a 1\n*a : 2', 'line 2: has an alias (*name)'],
    ['of itself', 'a: &a [*a]', 'line 1: has an alias (*name)'],
    ['to merge', 'a: &a { b: 1 }\nc:\n  <<: *a', 'line 3: has an alias (*name)'],
    ['of nothing', 'a: *a', 'line 1: has an alias (*name)'],
  ])('%s are rejected with their line and the remedy', (_, text, fault) => {
    expect(faultsOf(text).join('\n')).toContain(fault);
  });

  it('are rejected, but unused anchors are not', () => {
    expect(parseConfigYaml('a: &a 1')).toMatchObject({ content: { a: 1 } });
  });
});

it('rejects duplicate keys and keys that are not strings', () => {
  expect(faultsOf('a: 1\nb: 2\na: 3')).toEqual([
    'line 3: is not YAML: a key appears twice in one object: remove one of them',
  ]);
  expect(faultsOf('a: 1\n"a": 2')).toHaveLength(1);
  expect(faultsOf('? [a]\n: 2')).toEqual(['line 1: has a key that is not a string']);
});

describe('the depth', () => {
  const TOO_DEEP = 'line 1: is nested too deeply to be read: at most 64 levels are allowed';
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

  it('of a text is limited to that of a walk, and no deeper one is composed', () => {
    expect(faultsOf(nested(65))).toEqual([]);
    expect(faultsOf(nested(66))).toEqual([TOO_DEEP]);
  });

  it.each(['[', '[,', '{a: ', '{? ', '- ', '? ', '- ? '])('of endless %j is rejected before it is composed', (part) => {
    expect(faultsOf(part.repeat(CONFIG_LIMIT).slice(0, CONFIG_LIMIT))).toEqual([TOO_DEEP]);
  });
});

it('rejects a second document, and stops after many errors', () => {
  expect(faultsOf('a: 1\n---\nb: 2')).toEqual(['line 2: is not YAML: multiple docs']);
  expect(faultsOf('}\n'.repeat(100))).toEqual(
    Array.from({ length: 20 }, (_, at) => `line ${at + 1}: is not YAML: unexpected token`),
  );
});

/** Lines that cost a parser as much as possible per character, to be repeated. */
const WORST: Readonly<Record<string, (at: number) => string>> = {
  'empty lists': () => '- []\n',
  'empty objects': () => '- {}\n',
  'different keys': (at) => `${at.toString(36)}: b\n`,
  'the same key': () => 'a: b\n',
  'nested lists': () => '- - - a\n',
  comments: () => '#\n',
  tags: () => '- !x\n',
  anchors: () => '- &a\n',
  aliases: (at) => (at === 0 ? '- &a [[], []]\n' : '- *a\n'),
  errors: () => '}\n',
  'open brackets': () => '[',
  'open objects': () => '{a: ',
  indentation: (at) => `${' '.repeat(at % 500)}a:\n`,
};

it.each(Object.keys(WORST))(
  'parses or rejects the largest text of %s, within its timeout and with a short message',
  (name) => {
    const part = WORST[name] as (at: number) => string;
    let text = '';
    for (let at = 0; text.length < CONFIG_LIMIT; at++) text += part(at);
    const faults = faultsOf(text.slice(0, CONFIG_LIMIT));
    expect(faults.length).toBeLessThanOrEqual(20);
    expect(faults.join('; ').length).toBeLessThan(4_000);
  },
);
