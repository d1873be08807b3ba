import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

/** Asked by load balancers and orchestrators, whose headers mean nothing by what they say. */
const PROBES: ReadonlySet<string> = new Set(['/health', '/readiness', '/version']);

/** Routes that answer in other types than JSON, or negotiate for themselves. */
const OF_OTHER_TYPES =
  /^\/(metrics|docs|reference(\/.*)?|console\/:file|registry\/(:source\/)?exports(\/.*)?)?$|\.yaml$/;

export function isProbe(route: string): boolean {
  return PROBES.has(route);
}

/** The 406 for a request that accepts no JSON, where that is what it would get; undefined: go on. */
export function refuseOtherTypes(request: FastifyRequest): Problem | undefined {
  const { accept } = request.headers;
  if (accept === undefined || acceptsJson(accept)) return undefined;
  const { url: route } = request.routeOptions;
  if (route === undefined || isProbe(route) || OF_OTHER_TYPES.test(route)) return undefined;
  return new Problem(406, 'this path answers in application/json only, and the header Accept rules that out');
}

/** Returns whether a client accepts JSON (RFC 9110, section 12.5.1); what is no list of ranges rules nothing out. */
export function acceptsJson(accept: string): boolean {
  // The common cases first, without parsing.
  if (accept === '*/*' || accept === 'application/json') return true;
  const ranges = toRanges(accept);
  if (!ranges.some(({ type }) => type.includes('/'))) return true;
  return weightOf('application/json', ranges) > 0 || ranges.some(isJsonBased);
}

/** Whether a range is a type that is based on JSON (RFC 6839, section 3.1): its clients read JSON. */
function isJsonBased({ type, weight }: Range): boolean {
  return type.endsWith('+json') && weight > 0;
}

/** Returns whether a client accepts one of the types. */
export function acceptsAny(accept: string | undefined, types: readonly string[]): boolean {
  if (accept === undefined || accept === '*/*') return true;
  const ranges = toRanges(accept);
  return !ranges.some(({ type }) => type.includes('/')) || types.some((type) => weightOf(type, ranges) > 0);
}

/** Returns whether a client prefers HTML to JSON: programs, which accept anything, do not (RFC 9110, section 12.5.1). */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined || !accept.toLowerCase().includes('text/')) return false;
  const ranges = toRanges(accept);
  return weightOf('text/html', ranges) > weightOf('application/json', ranges);
}

type Range = ReturnType<typeof toRange>;

function toRanges(accept: string): readonly Range[] {
  return accept.toLowerCase().split(',').map(toRange);
}

/** Returns the weight of a type by the most specific range that names it, from 0 (not acceptable) to 1. */
function weightOf(type: string, ranges: readonly Range[]): number {
  for (const wanted of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const matching = ranges.filter((range) => range.type === wanted);
    if (matching.length > 0) return Math.max(...matching.map(({ weight }) => weight));
  }
  return 0;
}

function toRange(item: string): { readonly type: string; readonly weight: number } {
  const [type = '', ...parameters] = item.split(';').map((part) => part.trim());
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return { type, weight: weight === undefined ? 1 : Math.min(1, Math.max(0, Number(weight) || 0)) };
}
