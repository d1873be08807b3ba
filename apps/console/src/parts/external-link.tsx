import type { ComponentChildren } from 'preact';
import { findLink } from '../text/links.js';
import { words } from '../words.js';
import { ExternalIcon } from './icons.js';
import { Text } from './text.js';

interface ExternalLinkProps {
  readonly url: string;
  /** Label of the link, with its host beside it. If absent, the URL itself is shown. */
  readonly children?: ComponentChildren;
}

/** A link to an external web page. Anything else is shown as plain text. */
export function ExternalLink({ url, children }: ExternalLinkProps) {
  const link = findLink(url);
  if (!link) return <Text>{url}</Text>;
  return (
    <a href={link.href} target="_blank" rel="noopener noreferrer nofollow" class="external">
      {children === undefined ? <Text>{link.href}</Text> : children}
      {children !== undefined && <span class="host"> {link.host}</span>}
      <ExternalIcon />
      <span class="visually-hidden"> ({words.newWindow})</span>
    </a>
  );
}
