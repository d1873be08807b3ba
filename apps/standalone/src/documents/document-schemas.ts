import { z } from 'zod';
import { dataKey, objectName, registryName } from '#domain/spec-fields.js';

const REGISTRY_API_VERSIONS = ['toolhive.stacklok.dev/v1alpha1', 'toolhive.stacklok.dev/v1beta1'] as const;

/**
 * First path segments of the API, which no namespace may have, because each registry is also served at
 * `/{namespace}/{name}`.
 */
const RESERVED_SEGMENTS = new Set(['registry', 'extension', 'health', 'readiness', 'version', 'v0', 'v1', 'openapi']);

const dnsLabel = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, {
    error: 'must be lower-case letters, digits and "-", beginning and ending with a letter or digit',
  });

const registryNamespace = dnsLabel.refine((namespace) => !RESERVED_SEGMENTS.has(namespace), {
  error: 'is a path of the API itself: choose another namespace',
});

/** The fields of `metadata` that are used. Others, which Kubernetes and its tools add, are ignored. */
const metadata = (name: z.ZodString, namespace: z.ZodString) =>
  z.looseObject({
    name,
    namespace: namespace.default('default'),
    annotations: z.record(z.string(), z.string()).nullish(),
  });

export const registryDocument = z.strictObject({
  apiVersion: z.enum(REGISTRY_API_VERSIONS),
  kind: z.literal('MCPRegistry'),
  metadata: metadata(registryName, registryNamespace),
  spec: z.unknown().optional(), // The spec has its own schema, which says what is missing.
  status: z.unknown().optional(), // Present in the output of `kubectl get -o yaml`.
});

/** Rejects encrypted values: SOPS and eyaml replace values but leave their names readable. */
const decrypted = z.string().refine((text) => !/^\s*ENC\[\w+,/.test(text), {
  error: 'is encrypted (ENC[…]): decrypt the document, as with sops --decrypt, before it is read here',
  abort: true,
});

const base64 = decrypted
  .transform((text) => text.replaceAll(/\s/g, ''))
  .refine((text) => Buffer.from(text, 'base64').toString('base64') === text, {
    error: 'must be base64: encode the value, or give it as plain text under stringData (Secret) or data (ConfigMap)',
  })
  .transform((text) => Buffer.from(text, 'base64'));

const plainText = decrypted.transform((text) => Buffer.from(text, 'utf8'));

const dataOf = (value: z.ZodType<Buffer>) => z.record(dataKey, value).nullish();

export const configMapDocument = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('ConfigMap'),
  metadata: metadata(objectName, dnsLabel),
  immutable: z.boolean().optional(),
  data: dataOf(plainText),
  binaryData: dataOf(base64),
});

export const secretDocument = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Secret'),
  metadata: metadata(objectName, dnsLabel),
  immutable: z.boolean().optional(),
  type: z.string().optional(),
  data: dataOf(base64),
  stringData: dataOf(plainText),
});
