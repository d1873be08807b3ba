import { z } from 'zod';
import { admission } from '#domain/admission-rule.js';
import { registrySpecSchema } from './registry-spec.js';
import { registryStatusSchema } from './registry-status-schema.js';

const GROUP = 'toolhive.stacklok.dev';

const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const text = (name: string, jsonPath: string, priority = 0) => ({
  name,
  type: 'string',
  jsonPath,
  ...(priority > 0 && { priority }),
});
const integer = (...column: Parameters<typeof text>) => ({ ...text(...column), type: 'integer' });

/**
 * The columns of `kubectl get`, and with priority 1 those of `-o wide`. Both versions have the same columns; a client
 * that does not specify a version gets the newer one.
 */
const columns = [
  text('Phase', '.status.phase'),
  text('Message', '.status.message'),
  age,
  text('Ready', '.status.conditions[?(@.type=="Ready")].status', 1),
  text('Sync', '.status.syncStatus.phase', 1),
  text('API', '.status.apiStatus.phase', 1),
  integer('Replicas', '.status.readyReplicas', 1),
  integer('Servers', '.status.syncStatus.serverCount', 1),
  { ...text('Last Sync', '.status.syncStatus.lastSyncTime', 1), type: 'date' },
  text('URL', '.status.url', 1),
];

/**
 * The rule for names, because a name is used in labels and in the names of a Service and its hosts. It applies only to
 * new objects, because a name cannot be edited, and the finalizer of an existing object must remain removable.
 */
const nameRule = {
  rule: "oldSelf.hasValue() || (self.metadata.name.size() <= 50 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$'))",
  message:
    'the name must have at most 50 characters and be lower-case letters, digits and "-", beginning with a letter: it becomes the name of a Service',
  optionalOldSelf: true,
};

/**
 * The scale subresource, which `kubectl scale` and a HorizontalPodAutoscaler use. It controls the read-only servers.
 */
const scale = {
  specReplicasPath: '.spec.server.readers',
  statusReplicasPath: '.status.readers.replicas',
  labelSelectorPath: '.status.readers.selector',
};

/**
 * Returns the CRD of MCPRegistry. It has two versions with the same schema, so that nothing is lost when an object is
 * read through the other version.
 */
export function customResourceDefinition(): object {
  const version = (name: string, storage: boolean) => ({
    name,
    served: true,
    storage,
    subresources: { status: {}, scale },
    additionalPrinterColumns: columns,
    schema: {
      openAPIV3Schema: {
        description:
          'MCPRegistry is a registry of MCP servers. It is kept in sync with its sources and served over HTTP.',
        type: 'object',
        required: ['spec'],
        ...admission(nameRule),
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { type: 'object' },
          spec: structural(registrySpecSchema),
          status: structural(registryStatusSchema),
        },
      },
    },
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `mcpregistries.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: 'MCPRegistry',
        listKind: 'MCPRegistryList',
        plural: 'mcpregistries',
        singular: 'mcpregistry',
        shortNames: ['mcpreg', 'registry'],
        categories: ['toolhive'],
      },
      conversion: { strategy: 'None' },
      versions: [version('v1alpha1', true), version('v1beta1', false)],
    },
  };
}

/** Returns a structural schema, which has no `additionalProperties: false`: unknown fields are pruned in any case. */
function structural(schema: z.ZodType): object {
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    override({ jsonSchema }) {
      const { additionalProperties } = jsonSchema;
      delete jsonSchema.propertyNames;
      // An object without additionalProperties needs no marker. An object with a schema there is a map and is left as
      // it is.
      if (additionalProperties === undefined || (additionalProperties as { type?: unknown }).type !== undefined) return;
      delete jsonSchema.additionalProperties;
      if (additionalProperties !== false) Object.assign(jsonSchema, { 'x-kubernetes-preserve-unknown-fields': true });
    },
  });
}
