import { z } from 'zod';
import { ownMember } from './own-member.js';

/** Maximum requirements of a selector, and maximum values of a requirement. */
const REQUIREMENTS_LIMIT = 16;
const VALUES_LIMIT = 64;

const PREFIX = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

const labelKey = z.string().refine(isLabelKey, 'must be the key of a label, such as team or example.com/team');
const labelValue = z
  .string()
  .refine(
    (value) => value === '' || NAME.test(value),
    'must be the value of a label: at most 63 letters, digits and . _ -',
  );

const listed = z.strictObject({
  key: labelKey,
  operator: z.enum(['In', 'NotIn']),
  values: z.array(labelValue).min(1).max(VALUES_LIMIT),
});
const present = z.strictObject({
  key: labelKey,
  operator: z.enum(['Exists', 'DoesNotExist']),
  values: z.array(labelValue).max(0, 'must be absent with this operator').optional(),
});

/** A label selector with at least one requirement: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ */
export const labelSelector = z
  .strictObject({
    matchLabels: z
      .record(labelKey, labelValue)
      .refine(
        (labels) => Object.keys(labels).length <= REQUIREMENTS_LIMIT,
        `must have at most ${REQUIREMENTS_LIMIT} labels`,
      )
      .default({}),
    matchExpressions: z
      .array(z.discriminatedUnion('operator', [listed, present]))
      .max(REQUIREMENTS_LIMIT)
      .default([]),
  })
  .refine(
    ({ matchLabels, matchExpressions }) => Object.keys(matchLabels).length + matchExpressions.length > 0,
    'must have matchLabels or matchExpressions: an empty selector selects everything',
  );

export type LabelSelector = z.output<typeof labelSelector>;
export type Labels = Readonly<Record<string, string>>;

/** Returns whether an object with these labels is selected. As in Kubernetes, an absent label matches every `NotIn`. */
export function isSelected({ matchLabels, matchExpressions }: LabelSelector, labels: Labels): boolean {
  const valueOf = (key: string) => ownMember(labels, key);
  return (
    Object.entries(matchLabels).every(([key, value]) => valueOf(key) === value) &&
    matchExpressions.every((requirement) => {
      const value = valueOf(requirement.key);
      switch (requirement.operator) {
        case 'In':
          return value !== undefined && requirement.values.includes(value);
        case 'NotIn':
          return value === undefined || !requirement.values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
      }
    })
  );
}

function isLabelKey(key: string): boolean {
  const parts = key.split('/');
  const [prefix, name] = parts.length === 2 ? parts : [undefined, key];
  return (prefix === undefined || PREFIX.test(prefix)) && NAME.test(name ?? '');
}
