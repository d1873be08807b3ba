import { useState } from 'preact/hooks';
import type { ServerJson } from '../api/server-document.js';
import { words } from '../words.js';
import { CopyButton } from './copy-button.js';
import { Text } from './text.js';

/** The served document, rendered only when the reader opens it. */
export function RawDocument({ server }: { readonly server: ServerJson }) {
  const [isOpen, setOpen] = useState(false);
  const json = isOpen ? JSON.stringify(server, null, 2) : '';
  return (
    <section>
      <details class="fold" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <h2>{words.server.raw}</h2>
        </summary>
        {isOpen && <CodeBlock text={json} label={words.server.raw} />}
      </details>
    </section>
  );
}

interface CodeBlockProps {
  readonly text: string;
  readonly label: string;
}

/** A preformatted block that can be copied, and scrolled by keyboard. */
export const CodeBlock = ({ text, label }: CodeBlockProps) => (
  <div class="code-block">
    <CopyButton text={text} label={label} />
    <pre tabIndex={0} aria-label={label} role="region">
      <code>
        <Text>{text}</Text>
      </code>
    </pre>
  </div>
);
