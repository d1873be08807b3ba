import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

/** Asked by load balancers and orchestrators, whose headers mean nothing by what they say. */
const PROBES: ReadonlySet<string> = new Set(['/health', '/readiness', '/version']);

/** They answer in other types than JSON, and to whoever asks for them. */
const OF_OTHER_TYPES = /^\/(metrics|reference(\/.*)?)$|\.yaml$/;

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

/** By the range that says most about JSON (RFC 9110, section 12.5.1); what is no list of ranges rules nothing out. */
export function acceptsJson(accept: string): boolean {
  // As nearly everybody sends it, and at no cost.
  if (accept === '*/*' || accept === 'application/json') return true;
  const ranges = accept.toLowerCase().split(',').map(toRange);
  if (!ranges.some(({ type }) => type.includes('/'))) return true;
  for (const wanted of ['application/json', 'application/*', '*/*']) {
    const matching = ranges.filter(({ type }) => type === wanted);
    if (matching.length > 0) return matching.some(({ weight }) => weight > 0);
  }
  return false;
}

function toRange(item: string): { readonly type: string; readonly weight: number } {
  const [type = '', ...parameters] = item.split(';').map((part) => part.trim());
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return { type, weight: weight === undefined ? 1 : Number(weight) || 0 };
}
