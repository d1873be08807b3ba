import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RegistryError } from '#domain/registry-error.js';
import { fileSource } from '#sources/file.source.js';
import type { FileFormat } from '#sources/formats/layouts.js';
import type { DocumentFault } from '../documents/document-fault.js';
import { checkCatalogue } from './check-catalogue.js';
import { offlineContext } from './offline-context.js';

/**
 * Checks a folder or a glob pattern of files that contain one server each, with the code that syncs it. Each error has
 * the name of its file.
 */
export async function checkFolder(folder: string, format?: FileFormat): Promise<DocumentFault[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'validate-'));
  const [spec, target] = [{ path: resolve(folder) }, join(scratch, 'catalogue.json')];
  const context = offlineContext(scratch);
  try {
    await fileSource.download(spec, await fileSource.resolve(spec, context), target, context);
    return await checkCatalogue(target, folder, format);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return [{ file: folder, message: error.message }];
  } finally {
    await rm(scratch, { recursive: true });
  }
}
