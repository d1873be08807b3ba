import { pathParameter } from './openapi/operation.js';
import type { Operation } from './openapi/operation.js';

const shared = {
  method: 'post',
  tag: 'Registries and sources',
  success: { status: 202, answer: 'StartedSyncs', description: 'Started; the runs tell when they are done.' },
  problems: [404, 503],
} as const;

export const syncOperations: readonly Operation[] = [
  {
    ...shared,
    path: '/v1/sources/{name}/sync',
    id: 'syncSource',
    summary: 'Syncs one source now',
    parameters: [pathParameter('name', 'Name of the source.')],
  },
  {
    ...shared,
    path: '/v1/registries/{name}/sync',
    id: 'syncRegistry',
    summary: 'Syncs all sources now',
    parameters: [pathParameter('name', 'Name of the registry.')],
  },
];
