import type { OAuthProvider } from '#identity/provider-spec.js';
import { grantedFiles } from '#spec/named-files.js';
import type { SyncResources } from '#domain/resource-store.js';
import type { ProviderMaterial } from '#identity/provider-http.js';
import { readNamedFile } from '#sources/readable-file.js';
import { ProviderUnavailable } from '#identity/verdict.js';

/** Where the Secrets and ConfigMaps are kept that a spec refers to. */
export type AuthReferences = Pick<SyncResources, 'configMapKey' | 'secretKey'>;

/**
 * The files and references of one provider. They are read again at each use, because they rotate: a projected token lives for an
 * hour. A file wins over a reference; undefined where the spec names neither.
 */
export class MountedMaterial implements ProviderMaterial {
  constructor(
    private readonly spec: OAuthProvider,
    private readonly namespace: string,
    private readonly references: AuthReferences,
  ) {}

  /** Certificate authorities of the provider, PEM. */
  caCertificates(): Promise<string | undefined> {
    const { caCertPath, caCertRef } = this.spec;
    return this.read('caCert', caCertPath, caCertRef, 'configMapKey', grantedFiles(this.spec).caCertPath);
  }

  /** What the provider's own endpoints want to see. */
  bearerToken(): Promise<string | undefined> {
    const { authTokenFile, authTokenRef } = this.spec;
    return this.read('authToken', authTokenFile, authTokenRef, 'secretKey', grantedFiles(this.spec).authTokenFile);
  }

  clientSecret(): Promise<string | undefined> {
    const { clientSecretFile, clientSecretRef } = this.spec;
    return this.read('clientSecret', clientSecretFile, clientSecretRef, 'secretKey');
  }

  /** White space around it is an editor's, not a part of it. */
  private async read(
    what: string,
    file: string | undefined,
    reference: { name: string; key: string; optional?: boolean | undefined } | undefined,
    store: keyof AuthReferences,
    granted?: readonly string[],
  ): Promise<string | undefined> {
    try {
      if (file !== undefined) return (await readNamedFile(file, granted)).trim();
      if (!reference) return undefined;
      const bytes = await this.references[store](this.namespace, reference.name, reference.key);
      return Buffer.from(bytes).toString().trim();
    } catch (error) {
      if (file === undefined && reference?.optional) return undefined;
      const { code, message } = error as NodeJS.ErrnoException;
      const why = file === undefined ? message : `${file} cannot be read (${code})`;
      throw new ProviderUnavailable(`${what} of provider "${this.spec.name}": ${why}`, { cause: error });
    }
  }
}
