/** The limits for walking through a value from a user. Validation rejects larger values. */
export interface WalkBudget {
  readonly nodes: number;
  readonly depth: number;
}

/**
 * The default budget, which is far more than any Kubernetes object needs, and far less than what would exhaust the
 * stack or take a second.
 */
export const WALK_BUDGET: WalkBudget = { nodes: 50_000, depth: 64 };

/** A field of an object, or an item of a list, in a value of any shape. */
export interface VisitedField {
  readonly field: string;
  readonly value: unknown;
  /** Depth of the field; 1 for the fields of the value itself. */
  readonly depth: number;
}

/**
 * Visits everything in a value depth first, without recursion. A shared part is visited each time it occurs, and a
 * cycle stops at the budget. Returns whether the budget was sufficient. `visit` may throw.
 */
export function walkBounded(
  root: unknown,
  visit: (field: VisitedField) => void,
  { nodes, depth: deepest }: WalkBudget = WALK_BUDGET,
): boolean {
  const open: { readonly value: object; readonly depth: number }[] = [];
  if (typeof root === 'object' && root !== null) open.push({ value: root, depth: 1 });
  let left = nodes;
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.depth > deepest) return false;
    for (const field in next.value) {
      if (!Object.hasOwn(next.value, field)) continue;
      if (left-- === 0) return false;
      const value: unknown = (next.value as Record<string, unknown>)[field];
      visit({ field, value, depth: next.depth });
      if (typeof value === 'object' && value !== null) open.push({ value, depth: next.depth + 1 });
    }
  }
  return true;
}

/** Returns whether a whole value is within the budget. */
export function isWithinBudget(value: unknown, budget: WalkBudget = WALK_BUDGET): boolean {
  return walkBounded(value, () => undefined, budget);
}
