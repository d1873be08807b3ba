/** What the users of a cluster may say of the pods of their registries: everything, what is harmless, or nothing. */
export const POD_TEMPLATE_POLICIES = ['any', 'restricted', 'deny'] as const;

export type PodTemplatePolicy = (typeof POD_TEMPLATE_POLICIES)[number];
