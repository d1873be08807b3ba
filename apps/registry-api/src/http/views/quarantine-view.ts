import type { QuarantineRecord } from '#persistence/read-quarantine.js';

/** Returns an entry in quarantine: its error, and its name as far as it is known. */
export function toQuarantineView({ key, name, version, path, message }: QuarantineRecord): object {
  return {
    key,
    ...(name !== null && { name }),
    ...(version !== null && { version }),
    ...(path !== '' && { path }),
    message,
  };
}
