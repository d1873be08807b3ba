import { serverJsonSchema } from '#sources/formats/server-json.js';
import { statusRequestSchema } from '../publish/status-request.js';
import { belowEachRoot, pathParameter, serverNameParameter, toBody } from './openapi/operation.js';
import type { Operation } from './openapi/operation.js';

const version = pathParameter('version', 'The version.');

/** Describes publishing below each API root. */
export function publishOperations(): readonly Operation[] {
  const server = toBody(serverJsonSchema);
  const statusChange = toBody(statusRequestSchema);
  return belowEachRoot(({ path, name, scope }) => [
    {
      method: 'post',
      tag: 'Publishing',
      path: `${path}/publish`,
      id: `${name}Publish`,
      summary: 'Publishes one version of a server to a managed source',
      parameters: scope,
      body: server,
      success: { status: scope.length > 0 ? 201 : 200, answer: 'ServerResponse' },
      problems: [404, 409, 415, 422, 503],
    },
    {
      method: 'patch',
      tag: 'Publishing',
      path: `${path}/servers/{serverName}/versions/{version}/status`,
      id: `${name}ChangeStatus`,
      summary: 'Sets the status of one version: active, deprecated or deleted',
      parameters: [...scope, serverNameParameter, version],
      body: statusChange,
      success: { status: 200, answer: 'ServerResponse' },
      problems: [404, 415, 503],
    },
    {
      method: 'patch',
      tag: 'Publishing',
      path: `${path}/servers/{serverName}/status`,
      id: `${name}ChangeStatusOfAll`,
      summary: 'Sets the status of all versions of a server, in one transaction',
      parameters: [...scope, serverNameParameter],
      body: statusChange,
      success: { status: 200, answer: 'ChangedVersions' },
      problems: [404, 409, 415, 503],
    },
    {
      method: 'delete',
      tag: 'Publishing',
      path: `${path}/servers/{serverName}/versions/{version}`,
      id: `${name}Delete`,
      summary: 'Deletes one version, which stays as a tombstone',
      parameters: [...scope, serverNameParameter, version],
      success: { status: 200, answer: 'ServerResponse' },
      problems: [404, 503],
    },
  ]);
}

export function validateOperations(): readonly Operation[] {
  return belowEachRoot(({ path, name, scope }) => [
    {
      method: 'post',
      tag: 'Publishing',
      path: `${path}/validate`,
      id: `${name}Validate`,
      summary: 'Checks a server.json as publishing would, and stores nothing',
      parameters: scope,
      body: toBody(serverJsonSchema),
      success: { status: 200, answer: 'ValidationResult' },
      problems: [415, 503],
      isPublic: true,
    },
  ]);
}

export function entryOperations(): readonly Operation[] {
  return [
    {
      method: 'post',
      tag: 'Publishing',
      path: '/v1/entries',
      id: 'createEntry',
      summary: 'Publishes to the one managed source of the registry',
      body: {
        type: 'object',
        required: ['server'],
        properties: { server: toBody(serverJsonSchema) },
        additionalProperties: false,
      },
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
}
