import { pathParameter } from '../openapi/operation.js';
import type { Operation } from '../openapi/operation.js';

export const hookOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/hooks',
    tag: 'Registries and sources',
    id: 'listHooks',
    summary: 'Lists the webhooks, and when a delivery to each was last verified and refused',
    success: { status: 200, answer: 'HookList' },
  },
  {
    method: 'post',
    path: '/v1/hooks/{name}',
    tag: 'Registries and sources',
    id: 'deliverHook',
    summary: 'Takes a signed delivery of a webhook, after which sources are synced',
    parameters: [pathParameter('name', 'Name of the webhook.')],
    isPublic: true,
    success: {
      status: 202,
      answer: 'HookDelivery',
      description:
        'Verified; the sources are asked shortly after. What is ignored or a duplicate is answered with 200.',
    },
    problems: [401, 404, 415, 503],
  },
];
