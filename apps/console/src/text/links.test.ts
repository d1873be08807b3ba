import { describe, expect, it } from 'vitest';
import { findIcon, findLink, isInstallLink } from './links.js';

describe('an untrusted link', () => {
  it.each([
    ['https://example.com/a?b#c', 'example.com'],
    ['http://example.com:8080', 'example.com:8080'],
    ['HTTPS://EXAMPLE.com', 'example.com'],
    ['https://xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ])('%s leads to %s', (url, host) => {
    expect(findLink(url)).toMatchObject({ host, href: expect.stringMatching(/^https?:\/\//) });
  });

  it.each([
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    'JAVASCRIPT:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://example.com/x',
    'view-source:https://example.com',
    'ftp://example.com',
    'vscode:mcp/install?x',
    '//example.com',
    '/relative',
    'example.com',
    'https://good.example@evil.example/',
    'https://user:password@example.com/',
    'https://',
    `https://example.com/${'x'.repeat(2048)}`,
    '',
    undefined,
  ])('%s is shown as text', (url) => {
    expect(findLink(url)).toBeUndefined();
  });
});

describe('an icon', () => {
  const pixel = 'data:image/png;base64,iVBORw0KGgo=';

  it.each([pixel, 'data:image/jpeg;base64,AAAA', 'data:image/webp;base64,AAAA', 'data:image/gif;base64,AAAA'])(
    '%s is shown',
    (src) => {
      expect(findIcon([{ src: 'https://example.com/icon.png' }, { src }])).toBe(src);
    },
  );

  it.each([
    'https://example.com/icon.png',
    'data:image/svg+xml;base64,AAAA',
    'data:image/svg+xml,<svg/>',
    'data:image/png,raw',
    'data:image/png;charset=x;base64,AAAA',
    'data:text/html;base64,AAAA',
    'data:image/png;base64,',
    'data:image/png;base64,A"onload="x',
    ' data:image/png;base64,AAAA',
    'javascript:alert(1)',
  ])('%s is not shown', (src) => {
    expect(findIcon([{ src }])).toBeUndefined();
  });

  it('has at most 64 KiB', () => {
    const ofBytes = (bytes: number) => `data:image/png;base64,${'A'.repeat((bytes / 3) * 4)}`;
    expect(findIcon([{ src: ofBytes(65_535) }])).toBeDefined();
    expect(findIcon([{ src: ofBytes(65_538) }])).toBeUndefined();
  });
});

describe('a link that installs', () => {
  it.each([
    'vscode:mcp/install?%7B%7D',
    'vscode-insiders:mcp/install?x',
    'cursor://anysphere.cursor-deeplink/mcp/install?name=x',
    'lmstudio://add_mcp?name=x',
    'windsurf://windsurf-mcp-registry?serverName=x',
    'https://vscode.dev/redirect/mcp/install?name=x',
  ])('%s is opened', (link) => {
    expect(isInstallLink(link)).toBe(true);
  });

  it.each([
    'javascript:alert(1)',
    'https://example.com/',
    'https://vscode.dev.example.com/redirect/mcp/install?',
    'data:text/html,x',
    'file:///x',
    'ms-settings:x',
    'x',
  ])('%s is not opened', (link) => {
    expect(isInstallLink(link)).toBe(false);
  });
});
