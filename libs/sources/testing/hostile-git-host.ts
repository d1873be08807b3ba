import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync } from 'node:zlib';

/** How a hostile host responds to each of the three requests of a fetch (gitprotocol-v2, gitprotocol-http). */
export interface HostileAnswers {
  /** Response to `GET info/refs`. Default: the capabilities of protocol 2. */
  advertisement?(send: Send): void;
  /** Response to `command=ls-refs`. Default: one branch. */
  refs?(send: Send): void;
  /** Response to `command=fetch`, after the line `packfile`. */
  pack?(send: Send): void;
}

export interface Send {
  /** Sends complete packets. */
  packets(...payloads: (string | Buffer)[]): void;
  flush(): void;
  /** Sends the results of `next` for as long as the peer accepts data. */
  forever(next: (index: number) => Buffer): void;
  end(): void;
}

export const HOSTILE_COMMIT = 'c0ffee'.repeat(7).slice(0, 40);

/** Starts a git host over HTTP that follows the protocol up to the point where it misbehaves. */
export async function startHostileGitHost(
  answers: HostileAnswers,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => void answer(request, response, answers));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.git`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, answers: HostileAnswers): Promise<void> {
  const send = sender(response);
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
    if (answers.advertisement) return answers.advertisement(send);
    send.packets('version 2\n', 'ls-refs\n', 'fetch=shallow filter\n', 'object-format=sha1\n');
    send.flush();
    return send.end();
  }
  const body: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) body.push(chunk);
  response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' });
  if (Buffer.concat(body).includes('command=ls-refs')) {
    if (answers.refs) return answers.refs(send);
    send.packets(`${HOSTILE_COMMIT} HEAD symref-target:refs/heads/main\n`, `${HOSTILE_COMMIT} refs/heads/main\n`);
    send.flush();
    return send.end();
  }
  send.packets('shallow-info\n', `shallow ${HOSTILE_COMMIT}`);
  response.write('0001');
  send.packets('packfile\n');
  answers.pack?.(send);
}

function sender(response: ServerResponse): Send {
  return {
    packets: (...payloads) => payloads.forEach((payload) => response.write(packet(payload))),
    flush: () => void response.write('0000'),
    forever(next) {
      let index = 0;
      const more = () => {
        while (!response.destroyed) if (!response.write(next(index++))) return void response.once('drain', more);
      };
      more();
    },
    end: () => void response.end(),
  };
}

export function packet(payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload as string);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

/** Returns a pack (gitformat-pack) of a few kilobytes with a delta that unpacks to `copies` times 16 MiB. */
export function deltaBomb(copies: number): Buffer {
  const size = 16 * 1024 * 1024 - 1;
  const base = Buffer.alloc(size, 0x20);
  // Copies bytes 0 to 0xffffff of the base object.
  const copy = Buffer.from([0x80 | 0x70, 0xff, 0xff, 0xff]);
  const delta = Buffer.concat([varint(size), varint(size * copies), ...Array<Buffer>(copies).fill(copy)]);
  const header = Buffer.from(`blob ${size}\0`);
  const id = createHash('sha1').update(header).update(base).digest();
  const body = Buffer.concat([
    Buffer.from('PACK'),
    Buffer.from([0, 0, 0, 2, 0, 0, 0, 2]),
    objectHeader(3, size),
    deflateSync(base),
    objectHeader(7, delta.length),
    id,
    deflateSync(delta),
  ]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    if (rest < 128) return Buffer.from(bytes);
  }
}

function objectHeader(type: number, size: number): Buffer {
  const rest = Math.floor(size / 16);
  const first = (type << 4) | (size & 15) | (rest ? 0x80 : 0);
  return Buffer.concat([Buffer.from([first]), rest ? varint(rest) : Buffer.alloc(0)]);
}
