import type { Operation } from '../openapi/operation.js';

/** The page and its assets are for browsers, and no part of the document. */
export const consoleOperations: readonly Operation[] = [
  {
    method: 'get',
    tag: 'Registries and sources',
    path: '/v1/console',
    id: 'getConsole',
    summary: 'Says what the console must know to start: the registry, and how people sign in',
    success: { status: 200, answer: 'Console' },
    problems: [404],
    isPublic: true,
  },
];
