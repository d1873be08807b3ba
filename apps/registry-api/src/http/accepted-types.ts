import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

/** Paths for load balancers and orchestrators, which send arbitrary Accept headers. */
const PROBES: ReadonlySet<string> = new Set(['/health', '/readiness', '/version']);

/** Routes that respond with types other than JSON, or that negotiate themselves. */
const OF_OTHER_TYPES =
  /^\/(metrics|docs|reference(\/.*)?|console\/:file|registry\/(:source\/)?(exports|reference)(\/.*)?)?$|\.yaml$/;

export function isProbe(route: string): boolean {
  return PROBES.has(route);
}

/** Returns a 406 for a request that would get JSON but does not accept it; undefined if the request may continue. */
export function refuseOtherTypes(request: FastifyRequest): Problem | undefined {
  const { accept } = request.headers;
  if (accept === undefined || acceptsJson(accept)) return undefined;
  const { url: route } = request.routeOptions;
  if (route === undefined || isProbe(route) || OF_OTHER_TYPES.test(route)) return undefined;
  return new Problem(406, 'this path returns only application/json, which the Accept header excludes');
}

/** Returns whether a client accepts JSON (RFC 9110, section 12.5.1). An invalid header excludes nothing. */
export function acceptsJson(accept: string): boolean {
  // Handle the common cases without parsing.
  if (accept === '*/*' || accept === 'application/json') return true;
  const ranges = toRanges(accept);
  if (!ranges.some(({ type }) => type.includes('/'))) return true;
  return weightOf('application/json', ranges) > 0 || ranges.some(isJsonBased);
}

/** Whether a range is a type based on JSON (RFC 6839, section 3.1), whose clients can read JSON. */
function isJsonBased({ type, weight }: Range): boolean {
  return type.endsWith('+json') && weight > 0;
}

/** Returns whether a client accepts one of the types. */
export function acceptsAny(accept: string | undefined, types: readonly string[]): boolean {
  if (accept === undefined || accept === '*/*') return true;
  const ranges = toRanges(accept);
  return !ranges.some(({ type }) => type.includes('/')) || types.some((type) => weightOf(type, ranges) > 0);
}

/**
 * Returns whether a client prefers HTML to JSON (RFC 9110, section 12.5.1). A program that accepts anything does not.
 */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined || !accept.toLowerCase().includes('text/')) return false;
  const ranges = toRanges(accept);
  return weightOf('text/html', ranges) > weightOf('application/json', ranges);
}

type Range = ReturnType<typeof toRange>;

function toRanges(accept: string): readonly Range[] {
  return accept.toLowerCase().split(',').map(toRange);
}

/** Returns the weight of a type according to the most specific range that matches it, from 0 (not acceptable) to 1. */
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
