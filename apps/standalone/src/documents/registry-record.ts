import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileAtomically } from './write-file-atomically.js';

/**
 * Identity and last valid version of a registry. A manifest does not contain these, and a restart must not change them.
 */
const registryRecord = z.object({
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  generation: z.int(),
  deleting: z.boolean(),
  triggerToken: z.string().optional(),
  spec: z.unknown(),
  /** The file in which the registry was last found. */
  file: z.string(),
});

export type RegistryRecord = Readonly<z.output<typeof registryRecord>>;

const recordsFile = z.object({ registries: z.array(registryRecord) });

/**
 * Reads the records; none if the file does not exist yet. Throws if the file is damaged, because registries would lose
 * their identity if it were ignored.
 */
export async function readRecords(path: string): Promise<RegistryRecord[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    return recordsFile.parse(JSON.parse(text)).registries;
  } catch (cause) {
    throw new Error(`${path} is damaged: restore it from a backup, or remove it to start with new registries`, {
      cause,
    });
  }
}

export async function writeRecords(path: string, registries: readonly RegistryRecord[]): Promise<void> {
  await writeFileAtomically(path, `${JSON.stringify({ registries }, null, 2)}\n`);
}
