import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * Where outgoing requests may end. `private-allowed`: everywhere but at link-local and metadata addresses, since a
 * source may well be a service of the same cluster. `public-only`: in the internet.
 */
export type AddressPolicy = 'private-allowed' | 'public-only';

/** What an address leads to. `never`: no source can be there, but a cloud's credentials can. */
export type AddressReach = 'public' | 'private' | 'never';

/** No service of anybody is there; but a cloud's metadata, with credentials in it, is. */
const NEVER = blockList(
  '0.0.0.0/8', // this host
  '169.254.0.0/16', // link-local, most clouds' metadata
  '100.100.100.200/32', // metadata of Alibaba Cloud
  '168.63.129.16/32', // of Azure
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
  '::/128',
  'fe80::/10',
  'fd00:ec2::254/128', // metadata of AWS
  'fd20:ce::254/128', // of Google
  'ff00::/8',
);

/** Loopback, private networks, and what IANA sets aside for special use (RFC 6890). */
const PRIVATE = blockList(
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10', // shared by the customers of a provider
  '192.0.0.0/24',
  '192.0.2.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '::1/128',
  'fc00::/7',
  'fec0::/10',
  '64:ff9b:1::/48', // NAT64 of the local network
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
);

/** What an IP address leads to, be it an IPv6 address that stands for an IPv4 one. Text that is no address: `never`. */
export function reachOf(address: string): AddressReach {
  if (isIPv4(address)) return lookUp(address, 'ipv4');
  if (!isIPv6(address)) return 'never';
  const bare = address.replace(/%.*$/, '');
  const reach = lookUp(bare, 'ipv6');
  const embedded = embeddedIPv4(groupsOf(bare));
  const behind = embedded === undefined ? reach : lookUp(embedded, 'ipv4');
  return behind === 'never' || reach === 'public' ? behind : reach;
}

export function isAllowed(address: string, policy: AddressPolicy): boolean {
  const reach = reachOf(address);
  return reach === 'public' || (reach === 'private' && policy === 'private-allowed');
}

function lookUp(address: string, family: 'ipv4' | 'ipv6'): AddressReach {
  if (NEVER.check(address, family)) return 'never';
  return PRIVATE.check(address, family) ? 'private' : 'public';
}

/** Mapped, translated (RFC 2765), compatible, NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056). */
function embeddedIPv4(groups: readonly number[]): string | undefined {
  const [first, second, third] = groups as [number, number, number];
  const starts = (...prefix: number[]) => prefix.every((group, index) => groups[index] === group);
  const isLast =
    starts(0, 0, 0, 0, 0, 0xffff) ||
    starts(0, 0, 0, 0, 0xffff, 0) ||
    (starts(0, 0, 0, 0, 0, 0) && groups[6] !== 0) ||
    starts(0x64, 0xff9b, 0, 0, 0, 0) ||
    starts(0x64, 0xff9b, 1);
  if (isLast) return dotted(groups[6] as number, groups[7] as number);
  return first === 0x2002 ? dotted(second, third) : undefined;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** The eight groups of an IPv6 address that is known to be one. */
function groupsOf(address: string): number[] {
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a, b, c, d] = bytes.map(Number) as [number, number, number, number];
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [before = [], after = []] = plain.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}

function blockList(...networks: string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    list.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return list;
}
