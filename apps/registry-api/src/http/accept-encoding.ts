import type { Encoding } from './compressor.js';

/** What to send to a client that accepts this (RFC 9110, section 12.5.3): the densest of what it likes best. */
export function negotiateEncoding(acceptEncoding: string | undefined): Encoding {
  if (acceptEncoding === undefined || acceptEncoding === '') return 'identity';
  const weights = new Map(acceptEncoding.split(',').map(toWeight));
  const weightOf = (coding: string) => weights.get(coding) ?? weights.get('*') ?? 0;
  const [br, gzip] = [weightOf('br'), weightOf('gzip')];
  const best = Math.max(br, gzip);
  // Identity is acceptable unless it is ruled out; it is preferred only by those who say so.
  if (best === 0 || (weights.get('identity') ?? 0) > best) return 'identity';
  return br === best ? 'br' : 'gzip';
}

function toWeight(item: string): [string, number] {
  const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return [coding, weight === undefined ? 1 : Number(weight) || 0];
}
