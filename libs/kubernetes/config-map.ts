import type { KubernetesObject } from './kubernetes-object.js';

export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** Returns the value of a key, from `data` or `binaryData`, or undefined if there is no such key. */
export function valueIn({ data = {}, binaryData = {} }: ConfigMap, key: string): Uint8Array | undefined {
  if (Object.hasOwn(data, key)) return Buffer.from(data[key]!, 'utf8');
  return Object.hasOwn(binaryData, key) ? Buffer.from(binaryData[key]!, 'base64') : undefined;
}

/** Returns the values of all keys. */
export function valuesOf(configMap: ConfigMap): Map<string, Uint8Array> {
  return new Map(keysOf(configMap).map((key) => [key, valueIn(configMap, key) as Uint8Array]));
}

export function keysOf({ data, binaryData }: ConfigMap): string[] {
  return Object.keys({ ...data, ...binaryData });
}
