import { parseJson } from '#domain/parse-json.js';
import { isFields } from '#domain/fields.js';
import type { Fields } from '#domain/fields.js';

const COMPLAINT = ': field not declared in schema';
const TEMPLATE = '.spec.template.';
/** A path without spaces, except in the quoted values of its list keys. */
const PATH = /^(?:"(?:[^"\\]|\\.)*"|[^"\s])+$/;

/**
 * Returns the fields of the pod template that the API server does not know, as listed in its rejection of an apply:
 * `spec.containers[name="registry-api"].imagee`. The API server may report more of them once these are removed. Takes
 * linear time, because tenants choose the names.
 */
export function undeclaredFields(message: string): string[] {
  return message.split('\n').flatMap((line) => {
    const end = line.lastIndexOf(COMPLAINT);
    const start = line.indexOf(TEMPLATE) + TEMPLATE.length;
    if (start < TEMPLATE.length || end <= start) return [];
    const path = line.slice(start, end);
    return PATH.test(path) ? [path] : [];
  });
}

/** Returns the template without these fields. A path that is not found is ignored. */
export function withoutFields(template: Fields, paths: readonly string[]): Fields {
  return paths.reduce((rest, path) => without(rest, stepsOf(path)) as Fields, template);
}

/** Selects a field of an object, or the list item that has these values. */
type Step = { readonly field: string } | { readonly item: readonly (readonly [key: string, value: unknown])[] };

/** Returns the steps of a path; none if the path is invalid. */
function stepsOf(path: string): Step[] {
  const steps: Step[] = [];
  const next = /\.?([^.[\]]+)|\[([^"\]]*(?:"(?:[^"\\]|\\.)*"[^"\]]*)*)\]/y;
  while (next.lastIndex < path.length) {
    const found = next.exec(path);
    if (!found) return [];
    const [, field, item = ''] = found;
    steps.push(field === undefined ? { item: pairsOf(item) } : { field });
  }
  return steps;
}

function pairsOf(item: string): (readonly [string, unknown])[] {
  return [...item.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|[^,"]*)(?:,|$)/gy)].map(([, key = '', json = '']) => [
    key,
    parseJson(json),
  ]);
}

function without(value: unknown, steps: readonly Step[]): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if ('item' in step) {
    if (!Array.isArray(value)) return value;
    return value.map((each) =>
      isFields(each) && step.item.every(([key, wanted]) => Object.hasOwn(each, key) && each[key] === wanted)
        ? without(each, rest)
        : each,
    );
  }
  if (!isFields(value) || !Object.hasOwn(value, step.field)) return value;
  const { [step.field]: inside, ...others } = value;
  return rest.length === 0 ? others : { ...others, [step.field]: without(inside, rest) };
}
