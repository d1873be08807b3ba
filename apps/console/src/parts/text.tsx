import { useState } from 'preact/hooks';
import { cutText, splitHidden, withoutHidden } from '../text/hidden-characters.js';
import { formats } from '../format.js';
import { words } from '../words.js';

/** Longer texts than this are cut until the reader asks for all of it. */
const LONGEST = 20_000;

interface TextProps {
  readonly children: string;
  readonly limit?: number;
}

/** A text of a stranger: hidden characters are named, and what is very long is cut. */
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

/** A text that is cut without a way to see the rest, for a line that leads to the whole. */
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
