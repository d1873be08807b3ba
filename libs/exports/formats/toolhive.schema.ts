import { z } from 'zod';

/**
 * ToolHive's legacy registry format: `toolhive-legacy-registry.schema.json` of toolhive-core as of commit 48a206c
 * (2026), which its maintainers removed in May 2026. String formats (`uri`, `hostname`) are not checked here but left
 * to the reader.
 */
const texts = z.array(z.string());
const someText = z.string().min(1);
const port = z.int().min(1).max(65_535);
const longText = z.string().min(10).max(500);
const path = z.string().regex(/^(\/[^/\0]+)+\/?$/);

const input = {
  description: z.string().min(5).max(200),
  required: z.boolean(),
  secret: z.boolean().optional(),
  default: z.string().optional(),
};
const variable = z.strictObject({ name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), ...input });
const header = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]*$/),
  ...input,
  choices: texts.optional(),
});

/** Optional fields of a server. A field is left out if the publisher's own value does not match its schema. */
export const optionalFields = {
  overview: z.string(),
  tags: z.array(z.string().regex(/^[a-z0-9][a-z0-9_-]*[a-z0-9]$/)).min(1),
  metadata: z.strictObject({
    last_updated: z.string().optional(),
    pulls: z.int().min(0).optional(),
    stars: z.int().min(0).optional(),
  }),
  custom_metadata: z.looseObject({}),
};

export const optionalServerFields = {
  permissions: z.strictObject({
    network: z
      .strictObject({
        outbound: z
          .strictObject({
            allow_host: texts.optional(),
            allow_port: z.array(port).optional(),
            insecure_allow_all: z.boolean().optional(),
          })
          .optional(),
      })
      .optional(),
    read: z.array(path).optional(),
    write: z.array(path).optional(),
    privileged: z.boolean().optional(),
  }),
  provenance: z.strictObject({
    cert_issuer: z.string().optional(),
    repository_uri: z.string().optional(),
    repository_ref: z.string().optional(),
    runner_environment: z.string().optional(),
    signer_identity: z.string().optional(),
    sigstore_url: z.string().optional(),
    attestation: z.strictObject({ predicate_type: z.string().optional(), predicate: z.unknown() }).optional(),
  }),
  docker_tags: texts,
  proxy_port: port,
};

export const optionalRemoteFields = {
  oauth_config: z.strictObject({
    issuer: z.string().optional(),
    authorize_url: z.string().optional(),
    token_url: z.string().optional(),
    client_id: z.string().optional(),
    scopes: texts.optional(),
    use_pkce: z.boolean().optional(),
    oauth_params: z.record(z.string(), z.string()).optional(),
    callback_port: port.optional(),
    resource: z.string().optional(),
  }),
  env_vars: z.array(variable),
};

const common = {
  name: z.string().optional(),
  title: z.string().optional(),
  description: longText,
  repository_url: someText.optional(),
  status: z.enum(['Active', 'Deprecated']),
  tier: z.enum(['Official', 'Community']),
  tools: z.array(z.string().regex(/^[\w-]+$/)).min(1),
  ...asOptional(optionalFields),
};

const server = z.strictObject({
  ...common,
  image: z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[0-9]+)?(\/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*(:([a-zA-Z0-9][a-zA-Z0-9._-]*))?$/,
    ),
  transport: z.enum(['stdio', 'sse', 'streamable-http']),
  target_port: port.optional(),
  args: texts.optional(),
  env_vars: z.array(variable).optional(),
  ...asOptional(optionalServerFields),
});

const remote = z.strictObject({
  ...common,
  url: z.string().regex(/^https?:\/\/\S+$/),
  transport: z.enum(['sse', 'streamable-http']),
  headers: z.array(header).optional(),
  ...asOptional(optionalRemoteFields),
});

export type ToolhiveServer = z.infer<typeof server>;
export type ToolhiveRemote = z.infer<typeof remote>;
export type ToolhiveInput = z.infer<typeof header>;

export const TOOLHIVE_KEY = /^[a-z0-9][a-z0-9-]+[a-z0-9]$/;
const key = z.string().regex(TOOLHIVE_KEY);

export const toolhiveSchema = z.strictObject({
  last_updated: z.iso.datetime(),
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  servers: z.record(key, server),
  remote_servers: z.record(key, remote).optional(),
});

function asOptional<Shape extends Record<string, z.ZodType>>(
  shape: Shape,
): { [Key in keyof Shape]: z.ZodOptional<Shape[Key]> } {
  return Object.fromEntries(Object.entries(shape).map(([name, type]) => [name, type.optional()])) as {
    [Key in keyof Shape]: z.ZodOptional<Shape[Key]>;
  };
}
