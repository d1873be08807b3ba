import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** What a peer sends over a connection. */
export interface HostilePacket {
  readonly name: string;
  /** Sent one after the other, with a short pause in between. */
  readonly chunks: readonly (string | Buffer)[];
  /**
   * What the peer does after the last chunk: end its side or reset the connection. If absent, the peer waits for the
   * server.
   */
  readonly ending?: 'end' | 'reset';
}

const KIB = 1024;
const LONG = 'x'.repeat(16 * KIB);

/** Paths on which some URL parser throws, which it misinterprets, or for which it takes very long. */
const TARGETS: readonly string[] = [
  ...String.raw`
    // /// //[ //[::1 //%zz/ //user@ //x:99999/ /\ \ /.. /../.. /./ /; /? /#
    http://[ http:// http:/// http://x http://x:99999/ http://%zz/ HTTP://x/?a https://[::1]/ ftp://x/
    * ** x x:80 ? # . % javascript:0 data:, file:///etc/passwd @ : ://
    /% /%zz /%0 /%00 /%ff /%c0%af /%ed%a0%80 /%2e%2e/ /?% /?%zz=%zz /?a[=1 /?a[b][c]=1
    /?__proto__=1 /?constructor[prototype]=1 /__proto__ /constructor /toString /hasOwnProperty
    /healthz/__proto__ /metrics%00 /health%0d%0aX:
  `
    .trim()
    .split(/\s+/),
  '/\0',
  '/\x7f',
  '/\xff',
  '/\u{1F4A3}',
  '/ /',
  '/\t',
  `/${LONG}`,
  `/${'a/'.repeat(6 * KIB)}`,
  `/${'%41'.repeat(5 * KIB)}`,
  `/${'../'.repeat(5 * KIB)}`,
  `//${'['.repeat(8 * KIB)}`,
  `/?${'a&'.repeat(4 * KIB)}`,
  `/?${LONG.slice(1000)}`,
  `/healthz?${'?'.repeat(8 * KIB)}`,
  `http://${'x'.repeat(8 * KIB)}/`,
  `/${';'.repeat(8 * KIB)}`,
];

const METHODS = [
  '',
  ' ',
  'get',
  'GETGET',
  'PRI',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'M-SEARCH',
  'SOURCE',
  'G\0T',
  'x'.repeat(KIB),
  '{',
];

/** Header lines that replace or supplement the usual ones. */
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'no host': [],
  'two hosts': ['Host: a', 'Host: b'],
  'a host that is no host': ['Host: [::1'],
  'an empty host': ['Host: '],
  'a field without a name': ['Host: x', ': y'],
  'a field without a colon': ['Host: x', 'nonsense'],
  'a field with a NUL': ['Host: x', 'X: \0'],
  'a field with bare CR': ['Host: x', 'X: a\rY: b'],
  'a folded field': ['Host: x', 'X: a', ' b'],
  'a space before the colon': ['Host: x', 'Content-Length : 5'],
  'a field of 16 KiB': ['Host: x', `X: ${LONG}`],
  'a name of 8 KiB': ['Host: x', `${'x'.repeat(8 * KIB)}: y`],
  '3,000 fields': ['Host: x', ...Array.from({ length: 3000 }, (_, at) => `${at}:`)],
  '300 fields': ['Host: x', ...Array.from({ length: 300 }, (_, at) => `X-${at}: y`)],
  '200 times the same field': ['Host: x', ...Array.from({ length: 200 }, () => 'Cookie: a=b')],
  'names of Object.prototype': ['Host: x', '__proto__: 1', 'constructor: 1', 'toString: 1', 'hasOwnProperty: 1'],
  'an unknown expectation': ['Host: x', 'Expect: a-miracle'],
  'an upgrade to WebSocket': ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: eA=='],
  'an upgrade to HTTP/2': [
    'Host: x',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABk',
  ],
  'a strange Accept': ['Host: x', `Accept: ${'*/*;q=9,'.repeat(1000)}`],
  'a strange Accept-Encoding': ['Host: x', 'Accept-Encoding: __proto__, constructor;q=x, gzip;q=NaN'],
  'a strange If-None-Match': ['Host: x', `If-None-Match: ${'"'.repeat(5 * KIB)}`],
  'a strange Authorization': ['Host: x', `Authorization: Bearer ${'.'.repeat(5 * KIB)}`],
  'a strange Range': ['Host: x', 'Range: bytes=-1--1,9999999999999999999-'],
  'a strange X-Request-Id': ['Host: x', 'X-Request-Id: {"level":60}'],
};

/** Bodies and their headers. The path of each request does not exist. */
const BODIES: Readonly<Record<string, readonly [headers: readonly string[], body: string]>> = {
  'a negative length': [['Content-Length: -1'], 'x'],
  'a length that is no number': [['Content-Length: five'], 'x'],
  'a length of 2^64': [['Content-Length: 18446744073709551616'], 'x'],
  'a length of a terabyte': [['Content-Length: 1099511627776', 'Content-Type: application/json'], '{'],
  'two lengths': [['Content-Length: 1', 'Content-Length: 2'], 'xx'],
  'a length and chunks': [['Content-Length: 1', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
  'an unknown transfer encoding': [['Transfer-Encoding: identity, x'], 'x'],
  'chunks twice': [['Transfer-Encoding: chunked, chunked'], '0\r\n\r\n'],
  'a chunk of no size': [['Transfer-Encoding: chunked'], 'zz\r\nx\r\n0\r\n\r\n'],
  'a chunk of 2^64': [['Transfer-Encoding: chunked'], 'ffffffffffffffffff\r\nx'],
  'a chunk extension of 64 KiB': [['Transfer-Encoding: chunked'], `1;${'x'.repeat(64 * KIB)}\r\nx\r\n0\r\n\r\n`],
  'a trailer of 64 KiB': [['Transfer-Encoding: chunked'], `0\r\nX: ${'x'.repeat(64 * KIB)}\r\n\r\n`],
  'JSON that is none': [['Content-Type: application/json', 'Content-Length: 1'], '{'],
  'JSON of __proto__': [['Content-Type: application/json', 'Content-Length: 17'], '{"__proto__":{}}\n'],
  'a content type that is none': [['Content-Type: ;;;=/\\', 'Content-Length: 1'], 'x'],
  'a body of 2 MiB': [['Content-Type: application/json', `Content-Length: ${2048 * KIB}`], 'x'.repeat(2048 * KIB)],
};

const request = (method: string, target: string, headers: readonly string[], body = '') =>
  Buffer.from([`${method} ${target} HTTP/1.1`, ...headers, 'Connection: close', '', body].join('\r\n'), 'latin1');

/** Packets that must neither stop nor stall a listener, whatever it serves. */
export const hostilePackets: readonly HostilePacket[] = [
  ...TARGETS.flatMap((target) =>
    ['GET', 'OPTIONS', 'POST'].map((method) => packet(`${method} ${target}`, request(method, target, ['Host: x']))),
  ),
  ...METHODS.map((method) => packet(`method ${method}`, request(method, '/healthz', ['Host: x']))),
  ...Object.entries(HEADERS).map(([name, lines]) => packet(name, request('GET', '/healthz', lines))),
  ...Object.entries(BODIES).flatMap(([name, [headers, body]]) =>
    ['GET', 'POST', 'DELETE'].map((method) =>
      packet(`${method} with ${name}`, request(method, '/nothing', ['Host: x', ...headers], body)),
    ),
  ),
  packet('nothing', '', 'end'),
  packet('nothing and a reset', '', 'reset'),
  packet('noise', Buffer.from(Array.from({ length: 4 * KIB }, (_, at) => (at * 7919) % 256))),
  packet('a TLS hello', Buffer.from('16030100c8010000c40303', 'hex'), 'end'),
  packet('the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  packet('HTTP/0.9', 'GET /\r\n', 'end'),
  packet('HTTP/9.9', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'),
  packet('half a request line', 'GET /heal', 'end'),
  packet('half a head', 'GET / HTTP/1.1\r\nHost: x\r\nX-', 'end'),
  packet('half a head and a reset', 'GET / HTTP/1.1\r\nHost: x\r\nX-', 'reset'),
  packet('a request and a reset', request('GET', '/', ['Host: x']), 'reset'),
  packet('half a body and a reset', request('POST', '/', ['Host: x', 'Content-Length: 9'], 'x'), 'reset'),
  packet(
    '300 requests at once',
    Buffer.concat(Array.from({ length: 300 }, () => Buffer.from('GET // HTTP/1.1\r\nHost: x\r\n\r\n'))),
    'end',
  ),
  packet('only line ends', '\r\n'.repeat(10_000), 'end'),
  { name: 'a head in single bytes', chunks: [...'GET //[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'] },
  { name: 'a head that never ends', chunks: ['GET / HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n', 'X-B: c\r\n'] },
  { name: 'a body that never ends', chunks: ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n', '{', '"'] },
  { name: 'a silent connection', chunks: [] },
];

function packet(name: string, bytes: string | Buffer, ending?: HostilePacket['ending']): HostilePacket {
  return { name: name.length > 60 ? `${name.slice(0, 60)}…` : name, chunks: [bytes], ...(ending && { ending }) };
}

/** A response counts as complete when nothing has arrived for this long. */
const QUIET_MS = 300;
const PAUSE_MS = 2;
const AT_ONCE = 40;

/**
 * Sends all packets to a port. Returns the first line of each response, or an empty string if the connection was closed
 * without one.
 */
export async function fireHostilePackets(port: number, host = '127.0.0.1'): Promise<Map<HostilePacket, string>> {
  const answers = new Map<HostilePacket, string>();
  const waiting = [...hostilePackets];
  const gunner = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) answers.set(next, await fire(next, port, host));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, gunner));
  return answers;
}

/**
 * Sends a packet, and waits for the response or for the connection to close. Returns the first line of the response.
 */
export async function fire({ chunks, ending }: HostilePacket, port: number, host = '127.0.0.1'): Promise<string> {
  const socket = connect(port, host);
  // A server may reset a connection that it refuses.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const answer = receive(socket);
  for (const chunk of chunks) {
    if (socket.writable) socket.write(chunk);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  if (ending === 'end') socket.end();
  if (ending === 'reset') socket.resetAndDestroy();
  return (await answer).split('\r\n', 1)[0] as string;
}

function receive(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    let quiet: NodeJS.Timeout | undefined;
    socket.setEncoding('latin1').on('data', (data: string) => {
      text = `${text}${data}`.slice(0, 4 * KIB);
      clearTimeout(quiet);
      quiet = setTimeout(() => socket.destroy(), QUIET_MS);
    });
    socket.on('close', () => {
      clearTimeout(quiet);
      resolve(text);
    });
  });
}
