/** How much of a value from a user is looked at. What is beyond that is refused where the value is validated. */
export interface WalkBudget {
  readonly nodes: number;
  readonly depth: number;
}

/** Far above any object that Kubernetes has use for, and far below what a stack or a second bears. */
export const WALK_BUDGET: WalkBudget = { nodes: 50_000, depth: 64 };

/** A field of an object, or an item of a list, in a value of any shape. */
export interface VisitedField {
  readonly field: string;
  readonly value: unknown;
  /** 1 for the fields of the value itself. */
  readonly depth: number;
}

/**
 * Visits everything in a value depth first, without recursion. A shared part is visited once per place, and cycles end at the
 * budget. Returns whether the budget sufficed; `visit` may throw.
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

/** Returns whether a value is within the budget as a whole. */
export function isWithinBudget(value: unknown, budget: WalkBudget = WALK_BUDGET): boolean {
  return walkBounded(value, () => undefined, budget);
}
