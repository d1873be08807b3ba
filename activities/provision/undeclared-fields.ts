import { isFields } from '#domain/fields.js';
import type { Fields } from '#domain/fields.js';

/**
 * Fields of the pod template that the API server does not know, as its refusal of an apply names them:
 * `spec.containers[name="registry-api"].imagee`. It may know of more when these are gone.
 */
export function undeclaredFields(message: string): string[] {
  const named = message.matchAll(/\.spec\.template\.((?:"(?:[^"\\]|\\.)*"|[^":\s])+): field not declared in schema/g);
  return [...named].map(([, path = '']) => path);
}

/** The template without these fields; one that is not found in it stays wherever it is. */
export function withoutFields(template: Fields, paths: readonly string[]): Fields {
  return paths.reduce((rest, path) => without(rest, stepsOf(path)) as Fields, template);
}

/** A field of an object, or the item of a list that has these values. */
type Step = { readonly field: string } | { readonly item: readonly (readonly [key: string, json: string])[] };

function stepsOf(path: string): Step[] {
  return [...path.matchAll(/([^.[\]]+)|\[((?:"(?:[^"\\]|\\.)*"|[^\]])*)\]/g)].map(([, field, item]) =>
    field === undefined ? { item: pairsOf(item ?? '') } : { field },
  );
}

function pairsOf(item: string): (readonly [string, string])[] {
  return [...item.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|[^,]+)/g)].map(([, key = '', json = '']) => [key, json]);
}

function without(value: unknown, [step, ...rest]: readonly Step[]): unknown {
  if (step === undefined) return value;
  if ('item' in step) {
    if (!Array.isArray(value)) return value;
    return value.map((each) =>
      isFields(each) && step.item.every(([key, json]) => JSON.stringify(each[key]) === json)
        ? without(each, rest)
        : each,
    );
  }
  if (!isFields(value) || !(step.field in value)) return value;
  const { [step.field]: inside, ...others } = value;
  return rest.length === 0 ? others : { ...others, [step.field]: without(inside, rest) };
}
