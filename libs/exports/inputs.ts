import { ownMember } from '#domain/own-member.js';
import type { ServerInput } from '#domain/server-document.js';
import { demandVisible } from './characters.js';
import type { NoteName } from './omission.js';

/** A value that the user has to provide. */
export interface UserInput {
  readonly name: string;
  readonly isSecret: boolean;
  readonly description?: string;
  readonly choices?: readonly string[];
  readonly default?: string;
}

/** A value as a sequence of literal strings and user inputs. */
export type Value = readonly (string | UserInput)[];

/** Notes of one launch option (package or remote). A set, because each note is reported once. */
export type Notes = Set<NoteName>;

/**
 * Resolves an input (server.json, `Input`) to its fixed value, its default, or an input for the user. Returns undefined
 * for an optional input without a value, which is left out. A secret's value and default are never used.
 */
export function resolveInput(input: ServerInput, name: string, notes: Notes): Value | undefined {
  const { value, isSecret = false, isRequired = false } = input;
  if (value !== undefined && !isSecret) return resolveTemplate(value, input.variables, notes);
  if (value !== undefined) notes.add('secret-value-withheld');
  if (value === undefined && input.default !== undefined && !isSecret) {
    notes.add('default-used');
    const isChoice = input.choices !== undefined && input.choices.length > 0;
    const proposed = demandVisible(input.default);
    // A default becomes an input only if the user can choose among several values.
    return isChoice ? [{ ...toUserInput(input, name), default: proposed }] : [proposed];
  }
  if (isRequired || value !== undefined) return [toUserInput(input, name)];
  notes.add('optional-input-left-out');
  return undefined;
}

/** Returns a string with its variables resolved, or undefined if one of them is left out. */
export function resolveTemplate(
  text: string,
  variables: Readonly<Record<string, ServerInput>> | undefined,
  notes: Notes,
): Value | undefined {
  const parts: (string | UserInput)[] = [];
  let from = 0;
  for (const { 0: whole, 1: name = '', index } of text.matchAll(/\{([^{}]+)\}/g)) {
    const variable = ownMember(variables, name);
    if (!variable) continue;
    const value = resolveInput(variable, name, notes);
    if (!value) return undefined;
    parts.push(text.slice(from, index), ...value);
    from = index + whole.length;
  }
  parts.push(text.slice(from));
  return joinTexts(parts);
}

/** Joins adjacent strings. Throws `Omitted` for invisible characters. */
export function joinTexts(parts: Value): Value {
  const joined: (string | UserInput)[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === 'string' && typeof last === 'string') joined[joined.length - 1] = last + part;
    else if (part !== '') joined.push(part);
  }
  for (const part of joined) if (typeof part === 'string') demandVisible(part);
  return joined.length > 0 ? joined : [''];
}

function toUserInput({ description, isSecret = false, choices = [] }: ServerInput, name: string): UserInput {
  return {
    name: demandVisible(name),
    isSecret,
    ...(description !== undefined && description !== '' && { description }),
    ...(choices.length > 0 && !isSecret && { choices: choices.map(demandVisible) }),
  };
}

/** Returns the user inputs of a value. */
export function inputsOf(value: Value): UserInput[] {
  return value.filter((part) => typeof part !== 'string');
}

/** Returns a value as a string, with inputs replaced by their defaults, or undefined if an input has no default. */
export function fixedText(value: Value): string | undefined {
  const texts = value.map((part) => (typeof part === 'string' ? part : part.default));
  return texts.includes(undefined) ? undefined : texts.join('');
}
