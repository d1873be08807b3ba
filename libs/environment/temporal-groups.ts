import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { labelSelector } from '#domain/label-selector.js';

/** Maximum number of groups, because each one costs the operator a connection and a worker. */
export const TEMPORAL_GROUPS_LIMIT = 16;

const groupName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/, 'must be at most 30 lower-case letters, digits and -');

const group = z.strictObject({
  /** Name of the group, which is also the name of the directory with its credentials. */
  name: groupName,
  /** Selects the Kubernetes namespaces of the group. */
  namespaceSelector: labelSelector,
});

/** Groups of Kubernetes namespaces that each have a Temporal namespace. */
export const temporalGroups = z
  .array(group)
  .max(TEMPORAL_GROUPS_LIMIT, `must be at most ${TEMPORAL_GROUPS_LIMIT} groups`)
  .superRefine((groups, context) => {
    for (const [index, { name, namespaceSelector }] of groups.entries()) {
      const earlier = groups.slice(0, index);
      const namesake = earlier.some((each) => each.name === name);
      if (namesake) context.addIssue({ code: 'custom', message: `must not have two groups called ${name}` });
      const rival = earlier.find((each) => isDeepStrictEqual(each.namespaceSelector, namespaceSelector));
      if (rival && !namesake) {
        const message = `must not select the same namespaces twice: groups ${rival.name} and ${name} have the same namespaceSelector`;
        context.addIssue({ code: 'custom', message });
      }
    }
  });
