const MAX_URL = 2048;
const MAX_ICON_BYTES = 64 * 1024;
const ICON = /^data:image\/(?:png|jpeg|webp|gif);base64,([A-Za-z0-9+/]+={0,2})$/;

export interface SafeLink {
  readonly href: string;
  /** Host of the link, to be shown beside it. */
  readonly host: string;
}

/** Returns the link if a click on it can only open a web page: `https:` or `http:`, without user information. */
export function findLink(url: string | undefined): SafeLink | undefined {
  if (url === undefined || url.length > MAX_URL || !URL.canParse(url)) return undefined;
  const { protocol, host, href, username, password } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  return username === '' && password === '' && host !== '' ? { href, host } : undefined;
}

/** Returns the first icon that needs no request and cannot contain a script: a small raster image as a `data:` URL. */
export function findIcon(icons: readonly { readonly src: string }[]): string | undefined {
  return icons.find(({ src }) => isSmallRaster(src))?.src;
}

function isSmallRaster(src: string): boolean {
  // Base64 uses four characters for three bytes.
  if (src.length > (MAX_ICON_BYTES * 4) / 3 + 40) return false;
  return (ICON.exec(src)?.[1]?.length ?? Infinity) <= (MAX_ICON_BYTES * 4) / 3;
}

/**
 * URL schemes of links that install a server into a client. Apart from `CLIENT_PAGES`, other links in an export are not
 * opened.
 */
const CLIENT_SCHEMES = ['vscode:', 'vscode-insiders:', 'cursor:', 'lmstudio:', 'windsurf:'];
const CLIENT_PAGES = ['https://vscode.dev/redirect/mcp/install?'];

export const isInstallLink = (link: string): boolean =>
  URL.canParse(link) &&
  (CLIENT_SCHEMES.includes(new URL(link).protocol) || CLIENT_PAGES.some((page) => link.startsWith(page)));
