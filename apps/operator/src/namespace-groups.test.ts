import { describe, expect, it } from 'vitest';
import { labelSelector } from '#domain/label-selector.js';
import { NamespaceGroups } from './namespace-groups.js';

const group = (name: string, labels: Record<string, string>) => ({
  name,
  namespaceSelector: labelSelector.parse({ matchLabels: labels }),
});

const rivals = [group('blue', { team: 'blue' }), group('secret', { tier: 'secret' })];
const listed = () => true;

describe('groups of namespaces', () => {
  it('leave every namespace without a group if none are configured, and watch nothing', () => {
    const groups = new NamespaceGroups([], () => false);
    expect(groups.groupOf('any')).toBeUndefined();
    expect(groups.knows('any')).toBe(true);
    expect(groups.isGone('any')).toBe(false);
  });

  it('are selected by the labels of a namespace', () => {
    const groups = new NamespaceGroups(rivals, listed);
    groups.note('a', { team: 'blue' });
    groups.note('b', { tier: 'secret', team: 'red' });
    groups.note('c', {});
    expect(['a', 'b', 'c'].map((namespace) => groups.groupOf(namespace))).toEqual(['blue', 'secret', undefined]);
  });

  it('are unknown until the labels are known', () => {
    const groups = new NamespaceGroups(rivals, listed);
    expect(groups.knows('a')).toBe(false);
    expect(() => groups.groupOf('a')).toThrow('are not known yet');
  });

  it('are ambiguous for a namespace that two of them select, and the error contains both', () => {
    const groups = new NamespaceGroups(rivals, listed);
    groups.note('a', { team: 'blue', tier: 'secret' });
    expect(groups.knows('a')).toBe(false);
    expect(() => groups.groupOf('a')).toThrow('namespace a belongs to 2 Temporal groups, blue and secret');
    expect(groups.conflicts()).toEqual([groups.conflictIn('a')]);
    groups.note('a', { tier: 'secret' });
    expect(groups.groupOf('a')).toBe('secret');
    expect(groups.conflicts()).toEqual([]);
  });

  it('report how a namespace has changed', () => {
    const groups = new NamespaceGroups(rivals, listed);
    expect(groups.note('a', { team: 'blue' })).toBe('new');
    expect(groups.note('a', { team: 'blue', other: 'x' })).toBe('same');
    expect(groups.note('a', { team: 'red' })).toBe('moved');
    expect(groups.note('a', { team: 'blue', tier: 'secret' })).toBe('moved');
    expect(groups.note('a', undefined)).toBe('gone');
    expect(groups.note('a', { team: 'blue' })).toBe('new');
  });

  it('know that a namespace does not exist only after all have been listed', () => {
    let isListed = false;
    const groups = new NamespaceGroups(rivals, () => isListed);
    expect(groups.isGone('a')).toBe(false);
    isListed = true;
    expect(groups.isGone('a')).toBe(true);
    groups.note('a', {});
    expect(groups.isGone('a')).toBe(false);
  });
});
