import type { Encoding } from './compressor.js';

/**
 * Returns the encoding for a client with this Accept-Encoding (RFC 9110, section 12.5.3): the densest one among those
 * with the highest weight.
 */
export function negotiateEncoding(acceptEncoding: string | undefined): Encoding {
  if (acceptEncoding === undefined || acceptEncoding === '') return 'identity';
  const weights = new Map(acceptEncoding.split(',').map(toWeight));
  const weightOf = (coding: string) => weights.get(coding) ?? weights.get('*') ?? 0;
  const [br, gzip] = [weightOf('br'), weightOf('gzip')];
  const best = Math.max(br, gzip);
  // The identity encoding is acceptable unless it is excluded, but it is preferred only if the client asks for it.
  if (best === 0 || (weights.get('identity') ?? 0) > best) return 'identity';
  return br === best ? 'br' : 'gzip';
}

function toWeight(item: string): [string, number] {
  const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return [coding, weight === undefined ? 1 : Number(weight) || 0];
}
