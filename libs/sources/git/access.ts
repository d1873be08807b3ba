import { RegistryError } from '#domain/registry-error.js';
import { readConfigMapKey, readSecret } from '../read-reference.js';
import { readNamedFile } from '../readable-file.js';
import type { SourceContext } from '../context.js';
import type { GitSpec } from './git-spec.js';
import type { Credentials, Remote } from './remote.js';

/** The credentials for a git host, and the data that proves the identity of the host. */
export interface Access {
  readonly credentials?: Credentials;
  readonly ssh?: { readonly key: string; readonly knownHosts: string };
  /** CA certificates in PEM format. They replace those of the system and of the site. */
  readonly caCertificates?: Uint8Array;
}

/**
 * Reads the objects that the spec refers to. Throws a RegistryError `SecretNotFound`, `ConfigMapNotFound`,
 * `KeyNotFound`, `AuthFailed` or `ValidationFailed`.
 */
export async function readAccess(spec: GitSpec, remote: Remote, context: SourceContext): Promise<Access> {
  const { auth, caCertRef } = spec;
  if (remote.scheme === 'ssh') return { ssh: await readSsh(spec, remote, context) };
  const caCertificates = caCertRef && (await readConfigMapKey(caCertRef, context.references));
  const password = auth && (await readPassword(auth, context));
  if (password === undefined) return { ...(caCertificates && { caCertificates }) };
  const credentials = { username: auth?.username ?? '', password: password.trim() };
  if (/[\0\r\n]/.test(credentials.username + credentials.password)) {
    const message = `The user name or password for ${remote.name} has a line break inside: store it as one line.`;
    throw new RegistryError('AuthFailed', message);
  }
  return { credentials, ...(caCertificates && { caCertificates }) };
}

async function readSsh({ auth }: GitSpec, remote: Remote, context: SourceContext): Promise<NonNullable<Access['ssh']>> {
  const key = auth?.sshKeySecretRef && (await readSecret(auth.sshKeySecretRef, context.references));
  const knownHosts = auth?.knownHostsSecretRef && (await readSecret(auth.knownHostsSecretRef, context.references));
  if (!key?.trim() || !knownHosts?.trim()) {
    const missing = key?.trim() ? 'git.auth.knownHostsSecretRef' : 'git.auth.sshKeySecretRef';
    const remedy = 'an ssh repository needs a private key and the host keys that are trusted (output of ssh-keyscan)';
    throw new RegistryError(
      'ValidationFailed',
      `${remote.name} is reached by ssh, but ${missing} has no value: ${remedy}.`,
    );
  }
  // ssh rejects a key without the final line break, which editors and shells tend to drop, and a key with Windows line
  // breaks.
  const lines = (text: string) => `${text.trim().replaceAll('\r\n', '\n')}\n`;
  return { key: lines(key), knownHosts: lines(knownHosts) };
}

async function readPassword(auth: NonNullable<GitSpec['auth']>, context: SourceContext): Promise<string | undefined> {
  const { passwordSecretRef, passwordFile } = auth;
  if (passwordFile === undefined) return passwordSecretRef && readSecret(passwordSecretRef, context.references);
  try {
    return await readNamedFile(passwordFile);
  } catch (error) {
    const message = `The password file ${passwordFile} cannot be read (${(error as NodeJS.ErrnoException).code}): mount it there.`;
    throw new RegistryError('SecretNotFound', message, 'wait', { cause: error });
  }
}
