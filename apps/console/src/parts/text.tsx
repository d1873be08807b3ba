import { useState } from 'preact/hooks';
import { cutText, splitHidden, withoutHidden } from '../text/hidden-characters.js';
import { formats } from '../format.js';
import { words } from '../words.js';

/** Longer text is truncated until the user expands it. */
const LONGEST = 20_000;

interface TextProps {
  readonly children: string;
  readonly limit?: number;
}

/** Shows an untrusted string: hidden characters are made visible, and very long text is truncated. */
export function Text({ children, limit = LONGEST }: TextProps) {
  const [isWhole, setWhole] = useState(false);
  if (children.length <= limit || isWhole) return <Pieces text={children} />;
  return (
    <>
      <Pieces text={cutText(children, limit)} />…{' '}
      <button type="button" class="link" onClick={() => setWhole(true)}>
        {words.showAll(formats.number(children.length))}
      </button>
    </>
  );
}

/** Truncated text that cannot be expanded, for a line that links to the full text. */
export const ShortText = ({ children, limit = 300 }: TextProps) => (
  <>
    <Pieces text={cutText(children, limit)} />
    {children.length > limit && '…'}
  </>
);

function Pieces({ text }: { readonly text: string }) {
  const pieces = splitHidden(text);
  return (
    <>
      {pieces.map((piece, at) =>
        'plain' in piece ? (
          piece.plain
        ) : (
          <span key={at} class="code-point" title={words.hiddenCharacter(piece.code)}>
            {piece.code}
          </span>
        ),
      )}
    </>
  );
}

export { withoutHidden };
