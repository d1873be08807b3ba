import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Creates a self-signed certificate. Without alternative names, it can be used for a CA. */
export async function selfSigned(directory: string, name: string, altName?: string): Promise<Certificate> {
  const files = filesOf(directory, name);
  const names = altName === undefined ? [] : ['-addext', `subjectAltName=${altName}`];
  const to = ['-keyout', files.key, '-out', files.cert];
  await openssl(['req', '-x509', ...NEW_KEY, '-days', '2', '-subj', `/CN=${name}`, ...names, ...to]);
  return files;
}

/** Creates a certificate for `altName` (such as `DNS:localhost`) that is signed by the CA. */
export async function signed(
  directory: string,
  name: string,
  { ca, altName }: { ca: Certificate; altName: string },
): Promise<Certificate> {
  const files = filesOf(directory, name);
  const [request, extensions] = [join(directory, `${name}.csr`), join(directory, `${name}.ext`)];
  await writeFile(extensions, `subjectAltName=${altName}\n`);
  await openssl(['req', '-new', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', files.key, '-out', request]);
  const by = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-extfile', extensions];
  await openssl(['x509', '-req', '-in', request, ...by, '-days', '2', '-out', files.cert]);
  return files;
}

function filesOf(directory: string, name: string): Certificate {
  return { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
}

async function openssl(args: string[]): Promise<void> {
  await promisify(execFile)('openssl', args);
}
