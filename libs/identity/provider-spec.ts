import { z } from 'zod';
import type { Notice } from '#domain/notice.js';
import { namedFile, referredKeys } from '#domain/object-field.js';
import type { ObjectField } from '#domain/object-field.js';
import { providerAddressNotices } from './provider-addresses.js';
import { COMMON_OBJECTS, commonFields } from './provider-fields.js';
import type { ProviderSpec } from './provider-fields.js';
import { tokenProviders } from './providers/index.js';

/** A provider in the spec. Only the code for each kind of token knows the fields of that kind. */
export type OAuthProvider = ProviderSpec;

/** One item of `auth.oauth.providers[]`: the common fields and the fields of all kinds of tokens. */
export const providerSpec: z.ZodType<OAuthProvider> = z.strictObject({
  ...commonFields,
  ...Object.fromEntries(tokenProviders.flatMap(({ fields = {} }) => Object.entries(fields))),
});

/** The fields of a provider that refer to objects. */
export const PROVIDER_OBJECTS: readonly ObjectField[] = [
  ...COMMON_OBJECTS,
  ...tokenProviders.flatMap(({ objects = [] }) => objects),
];

/** Returns the URLs that are requested for a provider, by field name. */
export function requestedUrls(provider: OAuthProvider): Readonly<Record<string, string>> {
  const { issuerUrl, jwksUrl } = provider;
  const fields = provider as Readonly<Record<string, unknown>>;
  const own = tokenProviders
    .flatMap(({ endpoints = [] }) => endpoints)
    .flatMap((field) => (typeof fields[field] === 'string' ? [[field, fields[field]] as const] : []));
  return { ...(jwksUrl === undefined ? { issuerUrl } : { jwksUrl }), ...Object.fromEntries(own) };
}

/** Returns notices about settings of a provider that have no effect or that prevent requests to it. */
export function providerNotices(provider: OAuthProvider): Notice[] {
  const own = tokenProviders.flatMap((kind) => kind.notices?.(provider) ?? []);
  return [
    ...PROVIDER_OBJECTS.flatMap((field) => ignoredReference(provider, field)),
    ...providerAddressNotices(provider, requestedUrls(provider)),
    ...own.map(({ reason, message }) => ({ reason, message: `provider ${provider.name}: ${message}` })),
  ];
}

function ignoredReference(provider: OAuthProvider, field: ObjectField): Notice[] {
  if (!namedFile(field, provider) || referredKeys([field], provider).length === 0) return [];
  const message = `provider ${provider.name}: ${field.path.join('.')} is ignored, because ${field.fileField} takes precedence`;
  return [{ reason: 'RefsIgnored', message }];
}
