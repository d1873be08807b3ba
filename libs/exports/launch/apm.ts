import type { ServerPackage } from '#domain/server-document.js';
import type { Notes, Value } from '../inputs.js';
import { demandLaunchable, privateBase, toEnvironment } from './launch.js';

/**
 * Returns the command line that apm (0.28) builds. apm ignores versions, so a rule for this command admits all of them.
 */
export function apmLine(pack: ServerPackage, notes: Notes): readonly Value[] | undefined {
  demandLaunchable(pack);
  const { registryType, identifier } = pack;
  if (privateBase(pack) !== undefined || registryType === 'nuget') return undefined;
  const words =
    registryType === 'npm'
      ? ['npx', '-y', identifier]
      : registryType === 'pypi'
        ? ['uvx', identifier]
        : [
            'docker',
            'run',
            '-i',
            '--rm',
            ...toEnvironment(pack, notes).flatMap(({ name }) => ['-e', name]),
            identifier,
          ];
  return words.map((word) => [word]);
}
