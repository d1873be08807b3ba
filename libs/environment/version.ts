import { readFile } from 'node:fs/promises';
import { projectRoot } from './project-root.js';

export interface Version {
  readonly version: string;
  readonly commit: string;
  readonly buildDate: string;
}

/**
 * Returns the version of the package. Commit and date come from `BUILD_COMMIT` and `BUILD_DATE`, which the build of an
 * image sets.
 */
export async function readVersion(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Version> {
  const manifest = JSON.parse(await readFile(new URL('package.json', projectRoot), 'utf8')) as { version: string };
  return {
    version: manifest.version,
    commit: variables['BUILD_COMMIT'] || 'unknown',
    buildDate: variables['BUILD_DATE'] || 'unknown',
  };
}
