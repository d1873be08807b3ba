import { parseJson } from '#domain/parse-json.js';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryStatus } from '#domain/status/registry-status.js';
import { writeFileAtomically } from './write-file-atomically.js';

/** Keeps the status of each registry in a separate file, for people and for the next start. */
export class StatusFiles {
  private readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * Returns undefined if there is no status, if it belongs to another uid, or if the file is damaged. The next report
   * rewrites the file.
   */
  async find(ref: RegistryRef): Promise<RegistryStatus | undefined> {
    const text = await readFile(this.pathOf(ref), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    const written = parseJson(text ?? '') as
      { metadata?: { uid?: string }; status?: RegistryStatus } | null | undefined;
    return written?.metadata?.uid === ref.uid ? written.status : undefined;
  }

  async write({ namespace, name, uid }: RegistryRef, status: RegistryStatus): Promise<void> {
    const written = { kind: 'MCPRegistry', metadata: { namespace, name, uid }, status };
    await writeFileAtomically(this.pathOf({ namespace, name }), `${JSON.stringify(written, null, 2)}\n`);
  }

  async remove(ref: RegistryRef): Promise<void> {
    await rm(this.pathOf(ref), { force: true });
  }

  private pathOf({ namespace, name }: Pick<RegistryRef, 'namespace' | 'name'>): string {
    return join(this.directory, namespace, `${name}.json`);
  }
}
