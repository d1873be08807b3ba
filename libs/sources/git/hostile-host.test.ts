import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { measureGroupMemory } from '#subprocess/group-memory.js';
import { gitSource } from '../git.source.js';
import { deltaBomb, HOSTILE_COMMIT, packet, startHostileGitHost } from '../testing/hostile-git-host.js';
import type { HostileAnswers } from '../testing/hostile-git-host.js';
import { createSourceContext } from '../testing/source-context.js';

const MIB = 1024 * 1024;

/** A long timeout, so that only the limits on memory and bytes can stop a fetch here, however busy the machine is. */
const TIMEOUT_MS = 10 * 60_000;

const refLine = (index: number) => `${(index + 1).toString(16).padStart(40, '0')} refs/heads/b${index}\n`;
const refLines = (index: number) =>
  Buffer.concat(Array.from({ length: 2000 }, (_, offset) => packet(refLine(index * 2000 + offset))));
/** Side-band 1 carries the pack, side-band 2 messages (gitprotocol-pack). */
const band = (number: 1 | 2, data: Buffer) => packet(Buffer.concat([Buffer.from([number]), data]));

const HOSTS: Record<string, HostileAnswers> = {
  'refs without end, in protocol 0': {
    advertisement(send) {
      send.packets('# service=git-upload-pack\n');
      send.flush();
      send.packets(`${HOSTILE_COMMIT} HEAD\0side-band-64k\n`);
      send.forever(refLines);
    },
  },
  'refs without end, in protocol 2': { refs: (send) => send.forever(refLines) },
  'messages without end': {
    pack: (send) => send.forever(() => band(2, Buffer.from(`${'x'.repeat(60)}\n`.repeat(500)))),
  },
  'one message without end': { pack: (send) => send.forever(() => band(2, Buffer.alloc(60_000, 0x78))) },
  'a delta that unpacks to a gigabyte': {
    pack(send) {
      send.packets(...chunks(deltaBomb(64)).map((chunk) => Buffer.concat([Buffer.from([1]), chunk])));
      send.flush();
      send.end();
    },
  },
  'a pack without end': {
    pack: (send) => send.forever((index) => band(1, index ? Buffer.alloc(60_000) : PACK_HEADER)),
  },
};

const PACK_HEADER = Buffer.concat([Buffer.from('PACK'), Buffer.from([0, 0, 0, 2, 0x7f, 0xff, 0xff, 0xff])]);

function chunks(bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / 60_000) }, (_, index) =>
    bytes.subarray(index * 60_000, (index + 1) * 60_000),
  );
}

/** Returns the peak of the total resident memory of all child processes of this process while `work` runs. */
async function peakOfChildren(work: Promise<unknown>): Promise<number> {
  let peak = 0;
  const measure = async () => {
    const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
    const sizes = await Promise.all(children.split(' ').filter(Boolean).map(Number).map(measureGroupMemory));
    peak = Math.max(
      peak,
      sizes.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
    );
  };
  const timer = setInterval(() => void measure().catch(() => undefined), 10);
  await work.catch(() => undefined);
  clearInterval(timer);
  return peak;
}

describe.skipIf(process.platform !== 'linux')('a git host that sends', () => {
  it.each(Object.entries(HOSTS))(
    '%s is aborted with a message, in less than 300 MiB',
    { timeout: TIMEOUT_MS },
    async (_, answers) => {
      await using host = await startHostileGitHost(answers);
      await using context = await createSourceContext({ maxRepositoryBytes: 64 * MIB, fetchTimeoutMs: TIMEOUT_MS });
      const spec = gitSource.spec.parse({ repository: host.url });
      const fetched = gitSource
        .resolve(spec, context)
        .then((revision) => gitSource.download(spec, revision, context.target, context));
      const peak = await peakOfChildren(fetched);
      await expect(fetched).rejects.toMatchObject({
        name: 'RegistryError',
        reason: 'FetchFailed',
        destiny: 'wait',
        message: expect.stringMatching(/too large|more data|more than/),
      });
      expect(peak).toBeLessThan(300 * MIB);
    },
  );
});
