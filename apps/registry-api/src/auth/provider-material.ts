import type { OAuthProvider } from '#identity/provider-spec.js';
import { grantedFiles } from '#spec/named-files.js';
import type { ReferencedObjects } from '#domain/resource-store.js';
import type { ProviderMaterial } from '#identity/provider-http.js';
import { readNamedFile } from '#sources/readable-file.js';
import { ProviderUnavailable } from '#identity/verdict.js';

/** Reads the Secrets and ConfigMaps that a spec refers to. */
export type AuthReferences = Pick<ReferencedObjects, 'configMapKey' | 'secretKey'>;

/**
 * The files and references of one provider. They are read at each use because they rotate; a projected token, for
 * example, is valid for an hour. A file takes precedence over a reference. The result is undefined if the spec has
 * neither.
 */
export class MountedMaterial implements ProviderMaterial {
  constructor(
    private readonly spec: OAuthProvider,
    private readonly namespace: string,
    private readonly references: AuthReferences,
  ) {}

  /** Returns the certificate authorities of the provider as PEM. */
  caCertificates(): Promise<string | undefined> {
    const { caCertPath, caCertRef } = this.spec;
    return this.read('caCert', caCertPath, caCertRef, 'configMapKey', grantedFiles(this.spec).caCertPath);
  }

  /** Returns the bearer token that the provider's own endpoints require. */
  bearerToken(): Promise<string | undefined> {
    const { authTokenFile, authTokenRef } = this.spec;
    return this.read('authToken', authTokenFile, authTokenRef, 'secretKey', grantedFiles(this.spec).authTokenFile);
  }

  clientSecret(): Promise<string | undefined> {
    const { clientSecretFile, clientSecretRef } = this.spec;
    return this.read('clientSecret', clientSecretFile, clientSecretRef, 'secretKey');
  }

  /** Reads a value without surrounding white space, which editors add. */
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
