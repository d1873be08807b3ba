import type { ServerInput } from '#domain/server-document.js';
import { demandVisible } from './characters.js';
import type { NoteName } from './omission.js';

/** A value that the user has to give. */
export interface UserInput {
  readonly name: string;
  readonly isSecret: boolean;
  readonly description?: string;
  readonly choices?: readonly string[];
  readonly default?: string;
}

/** A value, as text and inputs in turn. */
export type Value = readonly (string | UserInput)[];

/** Notes of one way; a set, since one is enough of each. */
export type Notes = Set<NoteName>;

/**
 * Returns what becomes of an input (server.json, `Input`): its fixed value, its default, or an input for the user.
 * Undefined: it is optional, and left out. A secret's value and default are never used.
 */
export function resolveInput(input: ServerInput, name: string, notes: Notes): Value | undefined {
  const { value, isSecret = false, isRequired = false } = input;
  if (value !== undefined && !isSecret) return resolveTemplate(value, input.variables, notes);
  if (value !== undefined) notes.add('secret-value-withheld');
  if (value === undefined && input.default !== undefined && !isSecret) {
    notes.add('default-used');
    const isChoice = input.choices !== undefined && input.choices.length > 0;
    const proposed = demandVisible(input.default);
    // Only the editor that lets the user choose makes an input of it.
    return isChoice ? [{ ...toUserInput(input, name), default: proposed }] : [proposed];
  }
  if (isRequired || value !== undefined) return [toUserInput(input, name)];
  notes.add('optional-input-left-out');
  return undefined;
}

/** Returns a fixed text with its variables resolved; undefined when one of them is left out. */
export function resolveTemplate(
  text: string,
  variables: Readonly<Record<string, ServerInput>> | undefined,
  notes: Notes,
): Value | undefined {
  const parts: (string | UserInput)[] = [];
  let from = 0;
  for (const { 0: whole, 1: name = '', index } of text.matchAll(/\{([^{}]+)\}/g)) {
    const variable = variables && Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (!variable) continue;
    const value = resolveInput(variable, name, notes);
    if (!value) return undefined;
    parts.push(text.slice(from, index), ...value);
    from = index + whole.length;
  }
  parts.push(text.slice(from));
  return joinTexts(parts);
}

/** Joins adjacent texts; throws `Omitted` for characters that do not show. */
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

/** The inputs of a value. */
export function inputsOf(value: Value): UserInput[] {
  return value.filter((part) => typeof part !== 'string');
}

/** Returns the text of a value in which inputs that have a default are replaced by it; undefined when others remain. */
export function fixedText(value: Value): string | undefined {
  const texts = value.map((part) => (typeof part === 'string' ? part : part.default));
  return texts.includes(undefined) ? undefined : texts.join('');
}
