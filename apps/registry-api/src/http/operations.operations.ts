import { pathParameter } from './openapi/operation.js';
import type { Operation } from './openapi/operation.js';

const shared = { method: 'get', tag: 'Operations', isPublic: true } as const;

/** The probes of the official registry server, below one API root. */
export function officialProbeOperations(root: string, idPrefix: string): readonly Operation[] {
  const scope = root.includes('{source}') ? { parameters: [pathParameter('source', 'Name of a source.')] } : {};
  const operation = (name: string, summary: string, answer: 'OfficialHealth' | 'Ping' | 'OfficialVersion') =>
    ({
      ...shared,
      ...scope,
      path: `${root}/${name}`,
      id: `${idPrefix}${answer}`,
      summary,
      success: { status: 200, answer },
    }) as const;
  return [
    operation('health', 'Reports that the process is alive, as the official registry server does', 'OfficialHealth'),
    operation('ping', 'Answers a ping, as the official registry server does', 'Ping'),
    operation('version', 'Reports the running version, as the official registry server does', 'OfficialVersion'),
  ];
}

export const probeOperations: readonly Operation[] = [
  {
    ...shared,
    path: '/health',
    id: 'health',
    summary: 'Is the process alive',
    success: { status: 200, answer: 'Health' },
  },
  {
    ...shared,
    path: '/readiness',
    id: 'readiness',
    summary: 'Is everything there to answer with',
    success: { status: 200, answer: 'Readiness' },
    problems: [503],
  },
  {
    ...shared,
    path: '/version',
    id: 'version',
    summary: 'What is running',
    success: { status: 200, answer: 'Version' },
  },
  {
    ...shared,
    path: '/.well-known/oauth-protected-resource',
    id: 'resourceMetadata',
    summary: 'Who issues tokens for this registry (RFC 9728); also with the path of a resource behind it',
    success: { status: 200, answer: 'ResourceMetadata' },
    problems: [404],
  },
  {
    ...shared,
    path: '/registry/{source}/.well-known/oauth-protected-resource',
    id: 'sourceResourceMetadata',
    summary: 'The same for one source as a resource of its own',
    parameters: [pathParameter('source', 'Name of the source.')],
    success: { status: 200, answer: 'ResourceMetadata' },
    problems: [404],
  },
];
