const MAX_URL = 2048;
const MAX_ICON_BYTES = 64 * 1024;
const ICON = /^data:image\/(?:png|jpeg|webp|gif);base64,([A-Za-z0-9+/]+={0,2})$/;

export interface SafeLink {
  readonly href: string;
  /** Where it leads, to be shown beside it. */
  readonly host: string;
}

/** Returns the link if a click on it opens a web page and nothing else: `https:` or `http:`, and no user information. */
export function findLink(url: string | undefined): SafeLink | undefined {
  if (url === undefined || url.length > MAX_URL || !URL.canParse(url)) return undefined;
  const { protocol, host, href, username, password } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  return username === '' && password === '' && host !== '' ? { href, host } : undefined;
}

/** Returns the first icon that needs no request and cannot hold a script: a small raster image as a `data:` URL. */
export function findIcon(icons: readonly { readonly src: string }[]): string | undefined {
  return icons.find(({ src }) => isSmallRaster(src))?.src;
}

function isSmallRaster(src: string): boolean {
  // Base64 has four characters for three bytes.
  if (src.length > (MAX_ICON_BYTES * 4) / 3 + 40) return false;
  return (ICON.exec(src)?.[1]?.length ?? Infinity) <= (MAX_ICON_BYTES * 4) / 3;
}

/** Schemes of the links that install a server into a client; no other may be opened from an export. */
const CLIENT_SCHEMES = ['vscode:', 'vscode-insiders:', 'cursor:', 'lmstudio:', 'windsurf:'];
const CLIENT_PAGES = ['https://vscode.dev/redirect/mcp/install?'];

export const isInstallLink = (link: string): boolean =>
  URL.canParse(link) &&
  (CLIENT_SCHEMES.includes(new URL(link).protocol) || CLIENT_PAGES.some((page) => link.startsWith(page)));
