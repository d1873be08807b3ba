import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { secretFault, trimSecret } from './hook-secret.js';
import { getWebhookType, webhookTypes } from './index.js';
import type { Delivery } from './webhook.js';

const NOW_MS = 1_790_000_000_000;
const SECRET = Buffer.from('a secret of enough bytes');
const STANDARD_KEY = Buffer.from('0123456789abcdef01234567');
const STANDARD_SECRET = Buffer.from(`whsec_${STANDARD_KEY.toString('base64')}`);
const BODY = Buffer.from('{"ref":"refs/heads/main","repository":{"full_name":"team/catalogue"}}');

const hmac = (body: Uint8Array, key: Uint8Array = SECRET, algorithm = 'sha256') =>
  createHmac(algorithm, key).update(body).digest('hex');

function delivery(headers: Record<string, string>, body: Uint8Array = BODY): Delivery {
  return { header: (name) => headers[name], body, nowMs: NOW_MS };
}

function standardHeaders(body: Uint8Array = BODY, seconds = NOW_MS / 1000, id = 'msg_1'): Record<string, string> {
  const signature = createHmac('sha256', STANDARD_KEY).update(`${id}.${seconds}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': `${seconds}`, 'webhook-signature': `v1,${signature}` };
}

interface Sender {
  readonly type: string;
  readonly secret: Buffer;
  /** Name of the header with the signature or token. */
  readonly proof: string;
  sign(body: Uint8Array): Record<string, string>;
}

/** Deliveries of each kind of sender. */
const SENDERS: readonly Sender[] = [
  {
    type: 'github',
    secret: SECRET,
    proof: 'x-hub-signature-256',
    sign: (body) => ({ 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${hmac(body)}` }),
  },
  {
    type: 'gitlab',
    secret: STANDARD_SECRET,
    proof: 'webhook-signature',
    sign: (body) => ({ 'x-gitlab-event': 'Push Hook', ...standardHeaders(body) }),
  },
  {
    type: 'gitea',
    secret: SECRET,
    proof: 'x-gitea-signature',
    sign: (body) => ({ 'x-gitea-event': 'push', 'x-gitea-signature': hmac(body) }),
  },
  {
    type: 'gitea',
    secret: SECRET,
    proof: 'x-forgejo-signature',
    sign: (body) => ({ 'x-forgejo-event': 'push', 'x-forgejo-signature': hmac(body) }),
  },
  {
    type: 'gitea',
    secret: SECRET,
    proof: 'x-hub-signature-256',
    sign: (body) => ({ 'x-gitea-event': 'push', 'x-hub-signature-256': `sha256=${hmac(body)}` }),
  },
  {
    type: 'bitbucket',
    secret: SECRET,
    proof: 'x-hub-signature',
    sign: (body) => ({ 'x-event-key': 'repo:push', 'x-hub-signature': `sha256=${hmac(body)}` }),
  },
  {
    type: 'hmac',
    secret: SECRET,
    proof: 'x-signature',
    sign: (body) => ({ 'x-signature': `sha512=${hmac(body, SECRET, 'sha512')}` }),
  },
  {
    type: 'hmac',
    secret: SECRET,
    proof: 'x-signature',
    sign: (body) => ({ 'x-signature': `sha256=${hmac(body)}` }),
  },
  { type: 'standard', secret: STANDARD_SECRET, proof: 'webhook-signature', sign: (body) => standardHeaders(body) },
];

it('each type has a sender here', () => {
  expect(new Set(SENDERS.map(({ type }) => type))).toEqual(new Set(webhookTypes.map(({ type }) => type)));
});

describe.each(SENDERS)('$type by $proof', ({ type, secret, proof, sign }) => {
  const { prove, isCounted } = getWebhookType(type);

  it('accepts what was signed with the secret, including bytes that are not UTF-8 and an empty body', () => {
    for (const body of [BODY, Buffer.from([0xff, 0xfe, 0x00, 0x80]), Buffer.alloc(0)]) {
      const sent = delivery(sign(body), body);
      expect(prove(sent, secret)).toBeTypeOf('string');
      expect(isCounted(sent)).toBe(true);
    }
  });

  it('rejects a body or a proof that differs in one bit', () => {
    const headers = sign(BODY);
    for (let at = 0; at < BODY.length; at++) {
      const body = Buffer.from(BODY);
      body[at]! ^= 1;
      expect(prove(delivery(headers, body), secret)).toBeUndefined();
    }
    const signature = headers[proof]!;
    const from = signature.search(/[=,]/) + 1;
    for (let at = from; at < signature.length - 1; at++) {
      const other = signature[at] === 'a' ? 'b' : 'a';
      const forged = `${signature.slice(0, at)}${other}${signature.slice(at + 1)}`;
      expect(prove(delivery({ ...headers, [proof]: forged }), secret)).toBeUndefined();
    }
  });

  it('rejects a proof that is absent, empty, too short, too long or embedded in other text', () => {
    const headers = sign(BODY);
    const signature = headers[proof]!;
    const { [proof]: _proof, ...without } = headers;
    expect(prove(delivery(without), secret)).toBeUndefined();
    for (const wrong of ['', 'sha256=', 'v1,', signature.slice(0, -2), `${signature}00`, `,${signature}`]) {
      expect(prove(delivery({ ...headers, [proof]: wrong }), secret)).toBeUndefined();
    }
  });

  it('rejects what was signed with another secret, such as before a rotation', () => {
    const rotated = Buffer.from(
      type === 'standard' || type === 'gitlab' ? `whsec_${SECRET.toString('base64')}` : 'x'.repeat(20),
    );
    expect(prove(delivery(sign(BODY)), rotated)).toBeUndefined();
  });
});

it('verifies test case 2 of RFC 4231, in either case of its digits', () => {
  const body = Buffer.from('what do ya want for nothing?');
  const digest = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
  const { prove } = getWebhookType('github');
  for (const digits of [digest, digest.toUpperCase()]) {
    expect(prove(delivery({ 'x-hub-signature-256': `sha256=${digits}` }, body), Buffer.from('Jefe'))).toBe(digest);
  }
  const sha512 =
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737';
  const sent = delivery({ 'x-signature': `sha512=${sha512}` }, body);
  expect(getWebhookType('hmac').prove(sent, Buffer.from('Jefe'))).toBe(sha512);
});

const ID = '72d3162e-cc78-11e3-81ab-4c9367dc0958';
const signed = {
  sha1: `sha1=${hmac(BODY, SECRET, 'sha1')}`,
  sha256: `sha256=${hmac(BODY)}`,
};

/** All headers of a delivery, according to the documentation and source code of the forges in 2026. */
const DELIVERIES: readonly [string, string, Record<string, string>][] = [
  [
    'GitHub',
    'github',
    {
      'user-agent': 'GitHub-Hookshot/044aadd',
      'x-github-delivery': ID,
      'x-github-event': 'push',
      'x-github-hook-id': '292430182',
      'x-github-hook-installation-target-id': '79929171',
      'x-github-hook-installation-target-type': 'repository',
      'x-hub-signature': signed.sha1,
      'x-hub-signature-256': signed.sha256,
    },
  ],
  [
    'Gitea',
    'gitea',
    {
      'x-gitea-delivery': ID,
      'x-gitea-event': 'push',
      'x-gitea-event-type': 'push',
      'x-gitea-signature': hmac(BODY),
      'x-gogs-delivery': ID,
      'x-gogs-event': 'push',
      'x-gogs-signature': hmac(BODY),
      'x-github-delivery': ID,
      'x-github-event': 'push',
      'x-hub-signature': signed.sha1,
      'x-hub-signature-256': signed.sha256,
    },
  ],
  [
    'Forgejo',
    'gitea',
    {
      'x-forgejo-delivery': ID,
      'x-forgejo-event': 'create',
      'x-forgejo-event-type': 'create',
      'x-forgejo-signature': hmac(BODY),
      'x-gitea-event': 'create',
      'x-gitea-signature': hmac(BODY),
      'x-gogs-signature': hmac(BODY),
      'x-hub-signature': signed.sha1,
      'x-hub-signature-256': signed.sha256,
    },
  ],
  [
    'GitLab with a secret token',
    'gitlab',
    {
      'user-agent': 'GitLab/18.5.0',
      'idempotency-key': ID,
      'x-gitlab-event': 'Tag Push Hook',
      'x-gitlab-event-uuid': ID,
      'x-gitlab-instance': 'https://gitlab.example.com',
      'x-gitlab-token': SECRET.toString(),
      'x-gitlab-webhook-uuid': ID,
    },
  ],
  [
    'Bitbucket Cloud',
    'bitbucket',
    {
      'user-agent': 'Bitbucket-Webhooks/2.0',
      'x-attempt-number': '1',
      'x-event-key': 'repo:push',
      'x-hook-uuid': ID,
      'x-request-uuid': ID,
      'x-hub-signature': signed.sha256,
    },
  ],
  [
    'Bitbucket Data Center',
    'bitbucket',
    { 'x-event-key': 'repo:refs_changed', 'x-request-id': ID, 'x-hub-signature': signed.sha256 },
  ],
];

it.each(DELIVERIES)('accepts a delivery of %s with all of its headers', (_forge, type, headers) => {
  const { prove, isCounted } = getWebhookType(type);
  expect(prove(delivery(headers), SECRET)).toBeTypeOf('string');
  expect(isCounted(delivery(headers))).toBe(true);
  const forged = Buffer.concat([BODY, Buffer.from(' ')]);
  // GitLab's token proves who sent the delivery, but not its content.
  if (type !== 'gitlab') expect(prove(delivery(headers, forged), SECRET)).toBeUndefined();
  expect(prove(delivery(headers), Buffer.from('another secret, long enough'))).toBeUndefined();
});

it('ignores weaker algorithms', () => {
  const sha1 = `sha1=${hmac(BODY, SECRET, 'sha1')}`;
  const headers = {
    'x-hub-signature': sha1,
    'x-hub-signature-256': sha1,
    'x-signature': sha1,
    'x-gitea-signature': sha1,
  };
  for (const { prove } of webhookTypes) expect(prove(delivery(headers), SECRET)).toBeUndefined();
});

it('a later signature of Gitea does not replace an invalid first one', () => {
  const { prove } = getWebhookType('gitea');
  const good = hmac(BODY);
  const bad = hmac(BODY, Buffer.from('another'));
  expect(prove(delivery({ 'x-forgejo-signature': bad, 'x-gitea-signature': good }), SECRET)).toBeUndefined();
  expect(prove(delivery({ 'x-gitea-signature': '', 'x-hub-signature-256': `sha256=${good}` }), SECRET)).toBeUndefined();
});

describe('Standard Webhooks', () => {
  const { prove } = getWebhookType('standard');

  it('verifies the example of the specification', () => {
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    const sent = { ...delivery(headers, Buffer.from('{"test": 2432232314}')), nowMs: 1_614_265_330_000 };
    expect(prove(sent, Buffer.from('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'))).toBeTypeOf('string');
  });

  it('accepts one valid signature among several', () => {
    const headers = standardHeaders();
    const several = `v1a,xyz v1,AAAA ${headers['webhook-signature']} v2,zzz`;
    expect(prove(delivery({ ...headers, 'webhook-signature': several }), STANDARD_SECRET)).toBeTypeOf('string');
  });

  it.each([
    [300, true],
    [301, false],
    [-300, true],
    [-301, false],
  ])('a timestamp %i s ago is accepted: %s', (age, isAccepted) => {
    const headers = standardHeaders(BODY, NOW_MS / 1000 - age);
    expect(prove(delivery(headers), STANDARD_SECRET) !== undefined).toBe(isAccepted);
  });

  it('rejects a timestamp or an id other than the signed one', () => {
    const headers = standardHeaders();
    for (const other of [
      { 'webhook-timestamp': `${NOW_MS / 1000 + 1}` },
      { 'webhook-timestamp': 'now' },
      { 'webhook-id': 'x' },
    ]) {
      expect(prove(delivery({ ...headers, ...other }), STANDARD_SECRET)).toBeUndefined();
    }
  });
});

describe('GitLab', () => {
  const { prove, isCounted } = getWebhookType('gitlab');

  it('compares a secret token, and distinguishes deliveries with the same token', () => {
    const one = prove(delivery({ 'x-gitlab-token': SECRET.toString() }), SECRET);
    const other = prove(delivery({ 'x-gitlab-token': SECRET.toString() }, Buffer.from('{}')), SECRET);
    expect(one).toBeTypeOf('string');
    expect(one).not.toBe(other);
    for (const token of ['', 'a', `${SECRET}x`]) {
      expect(prove(delivery({ 'x-gitlab-token': token }), SECRET)).toBeUndefined();
    }
  });

  it('does not accept a token instead of a signature', () => {
    expect(prove(delivery({ 'x-gitlab-token': STANDARD_SECRET.toString() }), STANDARD_SECRET)).toBeUndefined();
  });

  it('ignores other events', () => {
    expect(isCounted(delivery({ 'x-gitlab-event': 'Issue Hook' }))).toBe(false);
  });
});

it.each([
  ['github', 'x-github-event', ['push', 'create', 'delete', 'release'], ['ping', 'issues', '']],
  ['gitea', 'x-gitea-event', ['push', 'create', 'delete', 'release'], ['issues']],
  ['bitbucket', 'x-event-key', ['repo:push', 'repo:refs_changed', 'mirror:repo_synchronized'], ['diagnostics:ping']],
] as const)('%s counts the events that may have changed a source', (type, header, counted, others) => {
  const { isCounted } = getWebhookType(type);
  for (const event of counted) expect(isCounted(delivery({ [header]: event }))).toBe(true);
  for (const event of others) expect(isCounted(delivery({ [header]: event }))).toBe(false);
});

describe('secrets', () => {
  it('are rejected below 16 bytes, not counting surrounding white space', () => {
    expect(secretFault('github', trimSecret(Buffer.from(`\n${'x'.repeat(15)}\r\n  `)))).toBe('has less than 16 bytes');
    expect(secretFault('github', trimSecret(Buffer.from(`${'x'.repeat(16)}\n`)))).toBeUndefined();
    expect(secretFault('github', Buffer.alloc(0))).toBe('has less than 16 bytes');
  });

  it('may be any bytes', () => {
    const bytes = Buffer.from([0xa0, 0xff, ...Buffer.alloc(16, 0x85), 0xa0]);
    expect(trimSecret(bytes)).toEqual(bytes);
  });

  it.each(['whsec_c2hvcnQgc2hvcnQ=', 'whsec_!!!!!!!!!!!!!!!!!!!!!!', 'a secret of enough bytes'])(
    '%s is not a key of Standard Webhooks',
    (text) => {
      expect(secretFault('standard', Buffer.from(text))).toMatch(/^is not whsec_/);
    },
  );
});
