import { tmpdir } from 'node:os';
import { stat } from 'node:fs/promises';

/** A folder with a short path in which every user may make something and which a reboot does not empty. */
export function temporaryFolder(): Promise<string> {
  return stat('/var/tmp').then(
    () => '/var/tmp',
    () => tmpdir(),
  );
}
