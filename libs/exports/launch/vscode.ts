import type { ServerArgument, ServerPackage } from '#domain/server-document.js';
import { demandVisible } from '../characters.js';
import { resolveTemplate } from '../inputs.js';
import type { Notes, Value } from '../inputs.js';
import { Omitted } from '../omission.js';
import { demandLaunchable, plainText, privateBase, toArguments } from './launch.js';
import { imageDigest, imageTag } from './portable.js';

/**
 * Returns the command line that VS Code builds for a package of a gallery (its source of 2026), for rules only. Returns
 * undefined if that command would fetch a package from the public index although the entry has a private one, or if it
 * would not start at all.
 */
export function vscodeLine(pack: ServerPackage, notes: Notes): readonly Value[] | undefined {
  demandLaunchable(pack);
  const { registryType, identifier, version } = pack;
  if (privateBase(pack) !== undefined) return undefined;
  if (plainText(toArguments(pack.runtimeArguments, new Set())[0]) === 'run') return undefined;
  const runtime = toQuestions(pack.runtimeArguments, notes);
  const rest = toQuestions(pack.packageArguments, notes);
  const text = (...words: readonly string[]): Value[] => words.map((word) => [word]);
  const suffix = (mark: string) => (version === undefined ? '' : `${mark}${version}`);
  if (registryType === 'npm') return [...text('npx'), ...runtime, ...text(`${identifier}${suffix('@')}`), ...rest];
  if (registryType === 'pypi') return [...text('uvx'), ...runtime, ...text(`${identifier}${suffix('==')}`), ...rest];
  if (registryType === 'nuget') {
    const separated = rest.length > 0 ? [...text('--'), ...rest] : [];
    return [...text('dnx'), ...runtime, ...text(`${identifier}${suffix('@')}`, '--yes'), ...separated];
  }
  if (version !== undefined && (imageTag(identifier) !== undefined || imageDigest(pack) !== undefined))
    return undefined;
  const named = (pack.environmentVariables ?? []).flatMap(({ name }) => text('-e', demandVisible(name)));
  const image = text(`${identifier}${suffix(':')}`);
  return [...text('docker', 'run', '-i', '--rm'), ...runtime, ...named, ...image, ...rest];
}

/**
 * Returns the arguments with an input for each one that VS Code prompts for. VS Code prompts for every argument that
 * has a description, a default or choices, whether it is required or not.
 */
function toQuestions(list: readonly ServerArgument[] | undefined, notes: Notes): Value[] {
  return (list ?? []).flatMap((argument): Value[] => {
    const name = argument.type === 'named' ? [[demandVisible(argument.name ?? '')]] : [];
    if (argument.value !== undefined && argument.isSecret !== true) {
      const value = resolveTemplate(argument.value, argument.variables, notes);
      if (!value) throw new Omitted('variable-in-command');
      return [...name, value];
    }
    const { description, default: proposed, choices } = argument;
    const isAsked = [argument.value, description, proposed, choices].some((each) => each !== undefined);
    if (isAsked) throw new Omitted('variable-in-command');
    return argument.type === 'named' ? name : [[demandVisible(argument.valueHint ?? '')]];
  });
}
