import { isSelected } from '#domain/label-selector.js';
import type { Labels, LabelSelector } from '#domain/label-selector.js';
import { RegistryError } from '#domain/registry-error.js';

/** A group of namespaces, selected by label, whose registries have a Temporal namespace of their own. */
export interface NamespaceGroup {
  readonly name: string;
  readonly namespaceSelector: LabelSelector;
}

/** How the group of a namespace has changed. */
export type NamespaceNews = 'new' | 'moved' | 'same' | 'gone';

const NONE: readonly string[] = [];

/** Tracks the group of each namespace in the cluster. If no groups are configured, nothing is tracked. */
export class NamespaceGroups {
  /** The names of the groups that select a namespace, by namespace. */
  private readonly selecting = new Map<string, readonly string[]>();

  constructor(
    private readonly groups: readonly NamespaceGroup[],
    /** Whether the API server has listed the namespaces. */
    private readonly isListed: () => boolean,
  ) {}

  /** Records the labels of a namespace, or its deletion. */
  note(namespace: string, labels: Labels | undefined): NamespaceNews {
    const before = this.selecting.get(namespace);
    if (!labels) {
      this.selecting.delete(namespace);
      return 'gone';
    }
    const selected = this.groups.filter(({ namespaceSelector }) => isSelected(namespaceSelector, labels));
    const now = selected.length === 0 ? NONE : selected.map(({ name }) => name);
    this.selecting.set(namespace, now);
    if (!before) return 'new';
    return before.join() === now.join() ? 'same' : 'moved';
  }

  /**
   * Returns the name of the group; undefined for a namespace without one. Throws while the group is unknown or
   * ambiguous.
   */
  groupOf(namespace: string): string | undefined {
    if (this.groups.length === 0) return undefined;
    const selecting = this.selecting.get(namespace);
    if (!selecting) {
      const message = `the labels of namespace ${namespace}, which select its Temporal namespace, are not known yet`;
      throw new RegistryError('TemporalGroupUnclear', message, 'retry');
    }
    if (selecting.length > 1)
      throw new RegistryError('TemporalGroupUnclear', describeRivals(namespace, selecting), 'retry');
    return selecting[0];
  }

  /** Returns whether {@link groupOf} can return the group. */
  knows(namespace: string): boolean {
    return this.groups.length === 0 || (this.selecting.get(namespace)?.length ?? 2) < 2;
  }

  /** Returns whether the namespace is known not to exist. */
  isGone(namespace: string): boolean {
    return this.groups.length > 0 && this.isListed() && !this.selecting.has(namespace);
  }

  /** Describes the conflict if several groups select the namespace; undefined otherwise. */
  conflictIn(namespace: string): string | undefined {
    const selecting = this.selecting.get(namespace) ?? NONE;
    return selecting.length > 1 ? describeRivals(namespace, selecting) : undefined;
  }

  /** Describes the conflict of each namespace that several groups select. */
  conflicts(): readonly string[] {
    return [...this.selecting.keys()].flatMap((namespace) => this.conflictIn(namespace) ?? []);
  }
}

function describeRivals(namespace: string, groups: readonly string[]): string {
  return (
    `namespace ${namespace} belongs to ${groups.length} Temporal groups, ${groups.join(' and ')}: its registries are not ` +
    'provisioned or synced until its labels, or the namespaceSelectors of the groups, leave one'
  );
}
