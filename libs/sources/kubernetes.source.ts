import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { RegistryError } from '#domain/registry-error.js';
import { isExported, registryAnnotations } from '#domain/server-object.js';
import type { ServerObject } from '#domain/server-object.js';
import { entryName } from './formats/exported-object.js';
import { defineSource } from './source.js';
import type { SourceContext } from './context.js';

/** MCP servers that run in the namespace and whose owners want them to be listed. See formats/exported-object.ts. */
export const kubernetesSource = defineSource<Record<string, never>>({
  block: 'kubernetes',
  view: { type: 'KUBERNETES', sourceType: 'kubernetes' },
  shape: 'file',
  fileFormat: 'objects',
  mayBeEmpty: true,
  changedBy: 'server-objects',
  permissions: [
    {
      apiGroups: ['toolhive.stacklok.dev'],
      resources: ['mcpservers', 'mcpremoteproxies', 'virtualmcpservers'],
      verbs: ['get', 'list', 'watch'],
    },
  ],
  spec: z.strictObject({}).describe('MCP servers that are found in the namespace of the server.'),

  address: () => 'MCP servers of the namespace',

  async resolve(_spec, context) {
    const revision = shortHash(await exportedObjects(context));
    return { revision, label: `MCP servers in namespace ${context.namespace}@${revision}` };
  },

  async download(_spec, { revision }, path, context) {
    const text = await exportedObjects(context);
    if (shortHash(text) !== revision) {
      const message = `An MCP server in namespace ${context.namespace} was edited while they were read.`;
      throw new RegistryError('FetchFailed', message, 'retry');
    }
    await writeFile(path, text);
  },
});

/** Returns the same text for the same objects, regardless of the order in which they are listed. */
async function exportedObjects({ references }: SourceContext): Promise<string> {
  const objects = (await references.serverObjects()).filter(isExported);
  const items = objects.toSorted(byKindAndName).map((object) => JSON.stringify(toItem(object)));
  return `{"items":[\n${items.join(',\n')}\n]}\n`;
}

/**
 * Converts an object to an item. The name comes first, so that an invalid object is identified by its name and its last
 * good version is kept.
 */
function toItem({ kind, namespace, name, uid, annotations, spec }: ServerObject) {
  return {
    name: entryName(namespace, name),
    object: { kind, namespace, name, uid, annotations: registryAnnotations(annotations), spec },
  };
}

/**
 * The kinds in order of precedence. If two objects have the same name, a server takes precedence over a proxy in front
 * of it.
 */
const KINDS = ['MCPServer', 'MCPRemoteProxy', 'VirtualMCPServer'];

function byKindAndName(a: ServerObject, b: ServerObject): number {
  return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (a.name < b.name ? -1 : 1);
}

/** Returns a short hash, which is long enough to distinguish edits. */
function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
