import type { Payload, PayloadCodec } from '@temporalio/common';

/**
 * Maximum bytes of the payloads that a process accepts at a time: the input of a workflow, one message, or the input of
 * one activity. The state of a registry with 20 sources in a dozen stores takes about 130 KiB. Temporal itself allows 2
 * MiB, which may take 40 MiB once parsed.
 */
export const PAYLOAD_BYTES = 512 * 1024;

const NULL: Payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('null') };

/**
 * Replaces payloads beyond the limit with null before anything is parsed. The reader of the payload then rejects null,
 * because it does not have the expected shape.
 */
export const boundedPayloads: PayloadCodec = {
  encode: async (payloads) => payloads,
  async decode(payloads) {
    let left = PAYLOAD_BYTES;
    return payloads.map((payload) => {
      left -= sizeOf(payload);
      return left < 0 ? NULL : payload;
    });
  },
};

function sizeOf({ data, metadata }: Payload): number {
  return [data, ...Object.values(metadata ?? {})].reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0);
}
