import { z } from 'zod';
import { admission } from './admission-rule.js';
import { compileGlob } from './glob.js';
import { parseGoDuration } from './go-duration.js';

/**
 * Fields that several blocks of the MCPRegistry spec share. Each message is appended to the field's path and value, as
 * in `spec.registries[0].git.path: "data.yaml" must be a .json file`, so it is a predicate and says what to write
 * instead.
 *
 * The checks of a field go from general to special, and only the first failure is reported. None of them aborts,
 * because an aborted field would keep zod from checking the surrounding object.
 *
 * Each schema has bounds, because the CRD rules derived from it must stay below the API server's cost limit.
 */

const NAME_LIMIT = 63;
const INTERVAL_LIMIT = 64;
const REFERENCE_LIMIT = 253;
const PATH_LIMIT = 1024;
const URL_LIMIT = 2048;

/** A positive duration in Go's notation: `30m`, `1h30m`, `1.5h`. */
export const goDurationField = z
  .string()
  .max(INTERVAL_LIMIT)
  .regex(
    /^([0-9]+(\.[0-9]+)?(ns|us|µs|μs|ms|s|m|h))+$/,
    'must be a Go duration: a number and a unit, such as 90s, 30m or 1h30m',
  )
  .refine((text) => parseGoDuration(text) !== undefined, 'must be at most 292 years')
  .refine((text) => parseGoDuration(text) !== 0, 'must be longer than zero, such as 30m')
  .meta(admission({ rule: "duration(self) > duration('0s')", message: 'must be longer than zero, such as 30m' }));

const NAMESPACE_LIMIT = 128;

/** The part of a server's name before the slash, such as `com.example`. */
export const serverNamespace = z
  .string()
  .max(NAMESPACE_LIMIT)
  .regex(
    /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/,
    'must be a namespace of letters, digits, "." and "-", such as com.example',
  );

const RELATIVE =
  'must be relative and must not contain "..": give the path below the root, such as registries/production.json';
const NO_FILE = 'must be a .json file, a folder, or a pattern such as servers/*/server.json';

/** Path of a catalogue within a repository or volume: a file, a folder or a pattern. It cannot leave the root. */
export const cataloguePath = z
  .string()
  .min(1)
  .max(PATH_LIMIT)
  .refine((path) => /[*?[]/.test(path) || !/\.ya?ml$/i.test(path), NO_FILE)
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..') && !path.includes('\0'), RELATIVE)
  .refine((path) => globFault(path) === undefined, 'is not a pattern: it has a "[" that is never closed')
  .meta(
    admission(
      {
        rule: "!self.startsWith('/') && !self.split('/').exists(segment, segment == '..')",
        message: RELATIVE,
      },
      { rule: "!self.matches('[.]ya?ml$') || self.matches('[*?\\\\[]')", message: NO_FILE },
    ),
  );

function globFault(path: string): string | undefined {
  if (!/[*?[]/.test(path)) return undefined;
  try {
    for (const segment of path.split('/')) compileGlob(segment);
    return undefined;
  } catch (error) {
    return (error as SyntaxError).message;
  }
}

/** Absolute path of a file in the server's file system. */
export const absoluteFile = z
  .string()
  .max(PATH_LIMIT)
  .regex(/^\/[^\0]*$/, 'must be an absolute path, such as /secrets/oidc/value');

/** An absolute http or https URL without credentials, because URLs appear in status and logs. */
export const httpUrl = z
  .string()
  .max(URL_LIMIT)
  .regex(/^https?:\/\//, 'must start with http:// or https://')
  .refine((url) => URL.canParse(url), 'must be a complete URL, such as https://registry.example.com')
  .refine(
    (url) => !URL.canParse(url) || `${new URL(url).username}${new URL(url).password}` === '',
    'must not contain a user name or password, because URLs are shown in status and logs: remove them',
  )
  .meta(
    admission({
      rule: "!self.matches('^https?://[^/?#]*@')",
      message: 'must not contain a user name or password, because URLs are shown in status and logs: remove them',
    }),
  );

/** Name of an MCPRegistry. Names of Services (DNS-1035) and labels are derived from it. */
export const registryName = z
  .string()
  .max(50)
  .regex(
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    'must be lower-case letters, digits and "-", beginning with a letter and not ending with "-"',
  );

/** Name of a source. It becomes a segment of URLs and paths, and a part of a volume's name. */
export const sourceName = z
  .string()
  .max(NAME_LIMIT)
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/,
    'must begin and end with a letter or digit, with only letters, digits, ".", "_" and "-" between',
  );

/** Name of a Kubernetes object that the spec refers to (RFC 1123 subdomain). */
export const objectName = z
  .string()
  .max(REFERENCE_LIMIT)
  .regex(
    /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    'must be the name of an object in the same namespace: lower-case letters, digits, "-" and "."',
  );

/** Key in the data of a ConfigMap or Secret. */
export const dataKey = z
  .string()
  .max(REFERENCE_LIMIT)
  .regex(/^[-._A-Za-z0-9]+$/, 'must be a key of its data: letters, digits, "-", "_" and "."')
  .refine((key) => key !== '.' && !key.startsWith('..'), 'must not be "." and must not start with ".."');

/** Names of the Secrets that the operator creates for registries, for Temporal and Postgres. */
const OPERATOR_SECRET = /-(?:temporal|db-pgpass)$/;

export const isOperatorSecret = (name: string): boolean => OPERATOR_SECRET.test(name);

/** Name of a Secret that belongs to the tenant, not to the operator. */
export const secretName = objectName.refine(
  (name) => !isOperatorSecret(name),
  'must not end in -temporal or -db-pgpass, as the Secrets of the operator do: give the Secret another name',
);

/** A reference to a value in a Secret of the same namespace. */
export const secretKeyRef = z.strictObject({
  name: secretName.describe('name is the name of the Secret.'),
  key: dataKey.describe('key is the key in the data of the Secret.'),
  optional: z.boolean().optional().describe('optional tolerates a missing Secret or key.'),
});

/** A reference to a value in a ConfigMap of the same namespace. */
export const configMapKeyRef = z.strictObject({
  name: objectName.describe('name is the name of the ConfigMap.'),
  key: dataKey.describe('key is the key in data or binaryData of the ConfigMap.'),
  optional: z.boolean().optional().describe('optional tolerates a missing ConfigMap or key.'),
});
