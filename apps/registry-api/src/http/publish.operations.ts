import { serverJsonSchema } from '#sources/formats/server-json.js';
import { z } from 'zod';
import { statusRequestSchema } from '../publish/status-request.js';
import { pathParameter, serverNameParameter } from './openapi/operation.js';
import type { Operation } from './openapi/operation.js';

const { $schema: _, ...server } = z.toJSONSchema(serverJsonSchema, { io: 'input', unrepresentable: 'any' });

const { $schema: __, ...statusChange } = z.toJSONSchema(statusRequestSchema, { io: 'input', unrepresentable: 'any' });

const source = pathParameter('source', 'Name of a managed source.');
const version = pathParameter('version', 'The version.');

function operationsBelow(root: string, idPrefix: string): readonly Operation[] {
  const scope = root.includes('{source}') ? [source] : [];
  return [
    {
      method: 'post',
      tag: 'Publishing',
      path: `${root}/publish`,
      id: `${idPrefix}Publish`,
      summary: 'Publishes one version of a server to a managed source',
      parameters: scope,
      body: server,
      success: { status: scope.length > 0 ? 201 : 200, answer: 'ServerResponse' },
      problems: [404, 409, 415, 422, 503],
    },
    {
      method: 'post',
      tag: 'Publishing',
      path: `${root}/validate`,
      id: `${idPrefix}Validate`,
      summary: 'Checks a server.json as publishing would, and stores nothing',
      parameters: scope,
      body: server,
      success: { status: 200, answer: 'ValidationResult' },
      problems: [415, 503],
      isPublic: true,
    },
    {
      method: 'patch',
      tag: 'Publishing',
      path: `${root}/servers/{serverName}/versions/{version}/status`,
      id: `${idPrefix}ChangeStatus`,
      summary: 'Sets the status of one version: active, deprecated or deleted',
      parameters: [...scope, serverNameParameter, version],
      body: statusChange,
      success: { status: 200, answer: 'ServerResponse' },
      problems: [404, 415, 503],
    },
    {
      method: 'patch',
      tag: 'Publishing',
      path: `${root}/servers/{serverName}/status`,
      id: `${idPrefix}ChangeStatusOfAll`,
      summary: 'Sets the status of all versions of a server, in one transaction',
      parameters: [...scope, serverNameParameter],
      body: statusChange,
      success: { status: 200, answer: 'ChangedVersions' },
      problems: [404, 415, 503],
    },
    {
      method: 'delete',
      tag: 'Publishing',
      path: `${root}/servers/{serverName}/versions/{version}`,
      id: `${idPrefix}Delete`,
      summary: 'Deletes one version, which stays as a tombstone',
      parameters: [...scope, serverNameParameter, version],
      success: { status: 200, answer: 'ServerResponse' },
      problems: [404, 503],
    },
  ];
}

export const publishOperations: readonly Operation[] = [
  ...operationsBelow('/v0.1', 'all'),
  ...operationsBelow('/registry/v0.1', 'registry'),
  ...operationsBelow('/registry/{source}/v0.1', 'source'),
  {
    method: 'post',
    tag: 'Publishing',
    path: '/v1/entries',
    id: 'createEntry',
    summary: 'Publishes to the one managed source of the registry',
    body: { type: 'object', required: ['server'], properties: { server }, additionalProperties: false },
    success: { status: 201, answer: 'ServerResponse' },
    problems: [409, 415, 422, 503],
  },
  {
    method: 'delete',
    tag: 'Publishing',
    path: '/v1/entries/server/{serverName}/versions/{version}',
    id: 'deleteEntry',
    summary: 'Deletes one version',
    parameters: [serverNameParameter, version],
    success: { status: 204 },
    problems: [404, 503],
  },
];
