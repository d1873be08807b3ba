import type { Notice } from '#domain/notice.js';
import { providerNotices } from '#identity/provider-spec.js';
import { findSource } from '#sources/index.js';
import type { ServerSpec } from './server-config.js';
import type { RegistrySource } from './source-entry-spec.js';

/** The part of a spec that may have no effect. */
interface WithoutEffect {
  readonly enforceServers: boolean;
  readonly auth?: { readonly mode: string; readonly oauth?: unknown } | undefined;
  readonly authConfig?: WithoutEffect['auth'];
}

/** Returns notices about settings that have no effect. `server` is the part of the spec that is used. */
export function specNotices({ enforceServers, auth, authConfig }: WithoutEffect, server: ServerSpec): Notice[] {
  const block = auth ? 'auth' : 'authConfig';
  const ignored = (auth ?? authConfig)?.mode === 'anonymous' && (auth ?? authConfig)?.oauth !== undefined;
  const providers = server.auth.mode === 'oauth' ? server.auth.oauth.providers : [];
  return [
    ...(enforceServers
      ? [notice('EnforceServersIgnored', 'spec.enforceServers is accepted for compatibility and has no effect')]
      : []),
    ...(ignored ? [notice('RefsIgnored', `spec.${block}.oauth is ignored: the mode is anonymous`)] : []),
    ...providers.flatMap(providerNotices),
    ...server.registries.flatMap(sourceNotices),
    ...limitedConnections(server),
  ];
}

function sourceNotices({ name, type, spec }: RegistrySource): Notice[] {
  const notices = findSource(type)?.notices?.(spec) ?? [];
  return notices.map(({ reason, message }) => notice(reason, `${name}: ${message}`));
}

function limitedConnections({ databaseConfig }: ServerSpec): Notice[] {
  if (!databaseConfig) return [];
  const { maxIdleConns, maxOpenConns } = databaseConfig;
  if (maxIdleConns <= maxOpenConns) return [];
  const message = `databaseConfig.maxIdleConns is ${maxIdleConns}, but at most maxOpenConns (${maxOpenConns}) connections are ever open`;
  return [notice('IdleConnectionsLimited', message)];
}

function notice(reason: Notice['reason'], message: string): Notice {
  return { reason, message };
}
