import { tmpdir } from 'node:os';
import { stat } from 'node:fs/promises';

/**
 * Returns a folder with a short path in which every user may create files, and which, if it is /var/tmp, is not emptied
 * by a reboot.
 */
export function temporaryFolder(): Promise<string> {
  return stat('/var/tmp').then(
    () => '/var/tmp',
    () => tmpdir(),
  );
}
