import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { METADATA, SET_ASIDE, SPECIAL_PURPOSE } from './special-addresses.js';

/**
 * Addresses that outgoing requests may connect to. `private-allowed`: all except link-local and metadata addresses,
 * because a source may well be a service in the same cluster. `public-only`: only addresses on the internet.
 */
export type AddressPolicy = 'private-allowed' | 'public-only';

/**
 * The kind of network that an address belongs to. `never`: no source can be there, but the credentials of a cloud can.
 */
export type AddressReach = 'public' | 'private' | 'never';

/**
 * Addresses that are never allowed: this host, link-local (where most clouds serve their metadata), multicast,
 * broadcast, and the other metadata addresses.
 */
const NEVER = blockList([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fe80::/10',
  'ff00::/8',
  ...METADATA,
]);

const PRIVATE = blockList([...SPECIAL_PURPOSE, ...SET_ASIDE]);

/**
 * Returns the reach of an IP address. If an IPv6 address embeds an IPv4 address, both are checked. A string that is not
 * an IP address is `never`.
 */
export function reachOf(address: string): AddressReach {
  if (isIPv4(address)) return lookUp(address, 'ipv4');
  if (!isIPv6(address)) return 'never';
  const [bare = ''] = address.split('%', 1);
  const groups = groupsOf(bare);
  const outer = isTranslated(groups) ? 'public' : lookUp(bare, 'ipv6');
  const reaches = [outer, ...embedded(groups).map((inner) => lookUp(inner, 'ipv4'))];
  if (reaches.includes('never') || hidesMetadata(groups)) return 'never';
  return reaches.includes('private') ? 'private' : 'public';
}

export function isAllowed(address: string, policy: AddressPolicy): boolean {
  const reach = reachOf(address);
  return reach === 'public' || (reach === 'private' && policy === 'private-allowed');
}

/**
 * Returns the address policy for the next redirect after a connection. The user chose the first URL, but a host on the
 * internet must not be able to redirect into the private network of this process.
 */
export function policyAfter(policy: AddressPolicy, reached: AddressReach | undefined): AddressPolicy {
  return reached === 'private' ? policy : 'public-only';
}

function lookUp(address: string, family: 'ipv4' | 'ipv6'): AddressReach {
  if (NEVER.check(address, family)) return 'never';
  return PRIVATE.check(address, family) ? 'private' : 'public';
}

type Groups = readonly [number, number, number, number, number, number, number, number];

function startsWith(groups: Groups, ...prefix: number[]): boolean {
  return prefix.every((group, index) => groups[index] === group);
}

/** Returns whether the first 96 bits only mark the rest as an IPv4 address, see `TRANSLATED`. */
function isTranslated(groups: Groups): boolean {
  return (
    startsWith(groups, 0, 0, 0, 0, 0, 0xffff) ||
    startsWith(groups, 0, 0, 0, 0, 0xffff, 0) ||
    (startsWith(groups, 0, 0, 0, 0, 0, 0) && groups[6] !== 0) ||
    startsWith(groups, 0x64, 0xff9b, 0, 0, 0, 0)
  );
}

/** Returns the IPv4 addresses that traffic to an IPv6 address may be delivered to or routed through. */
function embedded(groups: Groups): string[] {
  const [first, second, third, fourth, , sixth, seventh, eighth] = groups;
  const last = dotted(seventh, eighth);
  if (isTranslated(groups) || startsWith(groups, 0x64, 0xff9b, 1)) return [last];
  // 6to4 (RFC 3056).
  if (first === 0x2002) return [dotted(second, third)];
  // Teredo (RFC 4380): the address of the server, and that of the client with all bits inverted.
  if (startsWith(groups, 0x2001, 0)) return [dotted(third, fourth), dotted(seventh ^ 0xffff, eighth ^ 0xffff)];
  // ISATAP (RFC 5214).
  if (sixth === 0x5efe && (groups[4] & 0xfdff) === 0) return [last];
  return [];
}

/**
 * Returns whether an IPv6 address contains a metadata address. A network may translate addresses under any prefix of
 * its own (RFC 6052, section 2.2), which is not known here. So an address is rejected if it has a metadata address at
 * any of the positions that the RFC defines. The probability that this happens by chance is about one in four billion.
 */
function hidesMetadata(groups: Groups): boolean {
  const bytes = groups.flatMap((group) => [group >> 8, group & 0xff]);
  const places = [
    [4, 5, 6, 7],
    [5, 6, 7, 9],
    [6, 7, 9, 10],
    [7, 9, 10, 11],
    [9, 10, 11, 12],
    [12, 13, 14, 15],
  ];
  return places.some((place) => METADATA_HOSTS.has(place.map((index) => bytes[index]).join('.')));
}

const METADATA_HOSTS = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
]);

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** Returns the eight groups of an IPv6 address. */
function groupsOf(address: string): Groups {
  const plain = address.replace(/(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/, (_, ...bytes: string[]) => {
    const [a, b, c, d] = bytes.map(Number) as [number, number, number, number];
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [before = [], after = []] = plain.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16)) as unknown as Groups;
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    list.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return list;
}
