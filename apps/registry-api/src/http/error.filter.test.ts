import { describe, expect, it } from 'vitest';
import { Refusal } from '../refusal.js';
import type { RefusalKind } from '../refusal.js';
import { toProblem } from './error.filter.js';

const INTERNAL = { status: 500, message: expect.stringContaining('see the log of the server') };

describe('the response to an error', () => {
  it.each([
    ['an error of Postgres', Object.assign(new Error('relation "x" does not exist'), { code: '42P01' })],
    ['an error of Node', Object.assign(new Error('ENOENT: /etc/x'), { code: 'ENOENT', errno: -2 })],
    ['an error whose code is the name of a fault', Object.assign(new Error('x'), { code: 404 })],
    ['a text', 'something'],
    ['nothing', undefined],
  ])('refers to the log for %s, whatever its code', (_, error) => {
    expect(toProblem(error)).toMatchObject(INTERNAL);
  });

  it.each<[RefusalKind, number]>([
    ['malformed', 400],
    ['ambiguous', 400],
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['unknown', 404],
    ['conflict', 409],
    ['invalid', 422],
    ['unavailable', 503],
  ])('to a request that is %s has status %i', (kind, status) => {
    expect(toProblem(new Refusal(kind, 'because'))).toMatchObject({ status, message: 'because', headers: {} });
  });

  it('says what is wrong with a body that the framework rejects, without the words of the framework', () => {
    const error = Object.assign(new Error('Request body is too large'), {
      code: 'FST_ERR_CTP_BODY_TOO_LARGE',
      statusCode: 413,
    });
    expect(toProblem(error)).toMatchObject({ status: 413, message: expect.stringContaining('the body is larger') });
  });

  it('challenges the client, and contains the delay before a retry', () => {
    const fault = { error: 'insufficient_scope', description: 'a "quoted"\r\ntext', scope: 'write' };
    const challenge = { realm: 'r', metadataUrl: 'https://x/.well-known', fault };
    expect(toProblem(new Refusal('forbidden', 'no', { challenge })).headers).toEqual({
      'www-authenticate':
        'Bearer realm="r", error="insufficient_scope", error_description="a \\"quoted\\"text", scope="write", resource_metadata="https://x/.well-known"',
    });
    expect(toProblem(new Refusal('unavailable', 'no', { retryAfterSeconds: 5 })).headers).toEqual({
      'retry-after': '5',
    });
  });
});
