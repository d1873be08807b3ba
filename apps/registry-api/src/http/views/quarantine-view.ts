import type { QuarantineRecord } from '#persistence/read-quarantine.js';

/** What is wrong with an entry, and as much of its name as can be told. */
export function toQuarantineView({ key, name, version, path, message }: QuarantineRecord): object {
  return {
    key,
    ...(name !== null && { name }),
    ...(version !== null && { version }),
    ...(path !== '' && { path }),
    message,
  };
}
