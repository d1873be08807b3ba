import { describe, expect, it } from 'vitest';
import { isSelected, labelSelector } from './label-selector.js';

const labels = { team: 'blue', 'example.com/tier': '' };

const expression = (key: string, operator: string, values?: string[]) => ({
  matchExpressions: [{ key, operator, ...(values && { values }) }],
});

describe('a label selector', () => {
  it.each<[object, boolean]>([
    [{ matchLabels: { team: 'blue' } }, true],
    [{ matchLabels: { team: 'red' } }, false],
    [{ matchLabels: { team: 'blue', other: 'x' } }, false],
    [{ matchLabels: { 'example.com/tier': '' } }, true],
    [{ matchLabels: { absent: '' } }, false],
    [expression('team', 'In', ['red', 'blue']), true],
    [expression('team', 'In', ['red']), false],
    [expression('absent', 'In', ['']), false],
    [expression('team', 'NotIn', ['blue']), false],
    [expression('absent', 'NotIn', ['blue']), true],
    [expression('example.com/tier', 'Exists'), true],
    [expression('absent', 'Exists'), false],
    [expression('absent', 'DoesNotExist'), true],
    [expression('team', 'DoesNotExist'), false],
    [{ matchLabels: { team: 'blue' }, ...expression('absent', 'Exists') }, false],
    // Property names that every JavaScript object inherits are ordinary labels.
    [expression('constructor', 'Exists'), false],
    [expression('toString', 'DoesNotExist'), true],
  ])('selects by %j: %s', (selector, expected) => {
    expect(isSelected(labelSelector.parse(selector), labels)).toBe(expected);
  });

  it.each<[object, string]>([
    [{}, 'an empty selector selects everything'],
    [{ matchLabels: {}, matchExpressions: [] }, 'an empty selector selects everything'],
    [{ matchLabel: { team: 'blue' } }, 'Unrecognized key'],
    [{ matchLabels: { 'a/b/c': 'x' } }, 'Invalid key'],
    [{ matchLabels: { team: 'not a value' } }, 'must be the value of a label'],
    [{ matchLabels: { team: 'x'.repeat(64) } }, 'must be the value of a label'],
    [expression('team', 'In'), 'expected array'],
    [expression('team', 'In', []), 'Too small'],
    [expression('team', 'Exists', ['x']), 'must be absent with this operator'],
    [expression('team', 'Like', ['x']), 'Invalid'],
    [{ matchExpressions: Array.from({ length: 17 }, () => ({ key: 'a', operator: 'Exists' })) }, 'Too big'],
  ])('refuses %j', (selector, message) => {
    expect(labelSelector.safeParse(selector).error?.message).toContain(message);
  });
});
