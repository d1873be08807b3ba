/**
 * What the users of a cluster may set in the pod template of their registries: everything, harmless fields only, or
 * nothing.
 */
export const POD_TEMPLATE_POLICIES = ['any', 'restricted', 'deny'] as const;

export type PodTemplatePolicy = (typeof POD_TEMPLATE_POLICIES)[number];
