import { RegistryError } from '#domain/registry-error.js';
import { rewriteUrl } from '../rewrite-url.js';
import type { SourceSettings } from '../context.js';

const SCHEMES = ['https', 'http', 'ssh', 'file', 'git'] as const;

export type Scheme = (typeof SCHEMES)[number];

/** A repository as it is passed to git. */
export interface Remote {
  /** The URL for git: after rewrites, without credentials. */
  readonly url: string;
  readonly scheme: Scheme;
  /** The only origin that credentials are sent to, `https://host:port`. Empty for schemes other than https and http. */
  readonly origin: string;
  /** Name or address of the host, without brackets. Empty for a file. */
  readonly host: string;
  readonly port: number;
  /** How messages refer to the remote: the URL in the spec without credentials, and whether it was rewritten. */
  readonly name: string;
  /** The credentials in the URL, given as `user:password@`. */
  readonly credentials: Credentials | undefined;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** An scp-like address such as `git@github.com:owner/repository.git`, which is not a URL. */
const SCP_LIKE = /^(?<user>\w[\w.-]*)@(?<host>[\w.-]+):(?<path>[^:]*)$/;

/**
 * A host name or an IP address. Percent signs are excluded because git decodes them, and a leading `-` because ssh
 * would treat it as an option.
 */
const HOST = /^(?!-)[\w.-]+$|^\[[\da-f:.]+\]$/i;

const DEFAULT_PORTS: Readonly<Record<Scheme, number>> = { https: 443, http: 80, ssh: 22, git: 9418, file: 0 };

/** Returns the URL to show to users, without a user name and password if they may be credentials. */
export function displayUrl(repository: string): string {
  return SCP_LIKE.test(repository) ? repository : splitCredentials(repository).url;
}

/** Applies the site's rewrites and rejects URLs that must not be fetched. Throws a RegistryError `ValidationFailed`. */
export function toRemote(repository: string, settings: Pick<SourceSettings, 'urlRewrites' | 'allowLocalGit'>): Remote {
  const original = displayUrl(repository);
  const rewritten = rewriteUrl(original, settings.urlRewrites);
  const isRewritten = rewritten !== original;
  const name = isRewritten ? `${original} (rewritten by SOURCE_URL_REWRITES)` : original;
  const refuse = (why: string) => new RegistryError('ValidationFailed', `The git repository ${name} ${why}`, 'stop');

  const { url, credentials } = SCP_LIKE.test(rewritten)
    ? { url: rewritten, credentials: undefined }
    : splitCredentials(rewritten);
  const scheme = schemeOf(url);
  if (!scheme || /[\s\p{Cc}]/u.test(url)) {
    throw refuse(
      `is not a URL that can be fetched: use ${spelling(url) ?? 'an https://, http:// or ssh:// URL or user@host:path'}.`,
    );
  }
  const hostname = hostOf(url, scheme);
  if (scheme !== 'file' && !HOST.test(hostname ?? '')) {
    throw refuse(
      spelling(url)
        ? `has no port after the colon of its host: use ${spelling(url)}.`
        : 'has no valid host: use the form https://host/owner/repository.git.',
    );
  }
  if ((scheme === 'file' || scheme === 'git') && !isRewritten && !settings.allowLocalGit) {
    throw refuse(
      `uses ${scheme}://, which is not allowed here: use https:// or ssh://, or have the operator set ALLOW_LOCAL_GIT=1.`,
    );
  }
  return {
    url,
    scheme,
    origin: scheme === 'https' || scheme === 'http' ? new URL(url).origin : '',
    host: hostname?.replace(/^\[|\]$/g, '') ?? '',
    port: portOf(url, scheme),
    name,
    credentials: credentials ?? splitCredentials(repository).credentials,
  };
}

/**
 * Suggests the correct form of an address that mixes a URL with `user@host:path`, or that has both a port and such a
 * path.
 */
function spelling(url: string): string | undefined {
  const mixed = /^(?<start>[a-z]+:\/\/(?<user>\w[\w.-]*@)?[\w.-]+):(?:(?<port>\d+):)?(?<path>[^:]+)$/i.exec(
    url,
  )?.groups;
  if (mixed) {
    const { start = '', port, path = '' } = mixed;
    if (!port && /^\d*(\/|$)/.test(path)) return undefined;
    return `${start}${port ? `:${port}` : ''}/${path.replace(/^\/+/, '')}`;
  }
  const withPort = /^(?<host>\w[\w.-]*@[\w.-]+):(?<port>\d+):(?<path>[^:]+)$/.exec(url)?.groups;
  return withPort && `ssh://${withPort['host']}:${withPort['port']}/${withPort['path']?.replace(/^\/+/, '')}`;
}

/** Removes `user:password@` from a URL. For ssh, a user name is part of the address and is kept. */
function splitCredentials(url: string): { url: string; credentials: Credentials | undefined } {
  const match = /^(?<start>[a-z][a-z0-9+.-]*:\/\/)(?<user>[^/?#]*)@(?<rest>.*)/is.exec(url)?.groups;
  if (!match) return { url, credentials: undefined };
  const { start = '', user = '', rest = '' } = match;
  const colon = user.indexOf(':');
  const username = colon < 0 ? user : user.slice(0, colon);
  const kept = start.toLowerCase() === 'ssh://' && username ? `${username}@` : '';
  return {
    url: `${start}${kept}${rest}`,
    credentials:
      kept || !user
        ? undefined
        : { username: decoded(username), password: colon < 0 ? '' : decoded(user.slice(colon + 1)) },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function schemeOf(url: string): Scheme | undefined {
  if (SCP_LIKE.test(url)) return 'ssh';
  const scheme = /^([a-z]+):\/\//i.exec(url)?.[1]?.toLowerCase();
  return SCHEMES.find((known) => known === scheme);
}

function hostOf(url: string, scheme: Scheme): string | undefined {
  if (scheme === 'ssh' && SCP_LIKE.test(url)) return SCP_LIKE.exec(url)?.groups?.['host'];
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

function portOf(url: string, scheme: Scheme): number {
  const given = URL.canParse(url) ? new URL(url).port : '';
  return given ? Number(given) : DEFAULT_PORTS[scheme];
}
