import { useEffect, useState } from 'preact/hooks';
import { announce } from '../announce.js';
import { words } from '../words.js';
import { CheckIcon, CopyIcon } from './icons.js';

const SHOWN_MS = 2_000;

/** Copies exactly the text shown beside it. `label` describes the text for screen readers. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [result, setResult] = useState<string>();
  useEffect(() => {
    if (result === undefined) return undefined;
    const timer = setTimeout(() => setResult(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [result]);
  const copy = async () => {
    const outcome = await write(text);
    setResult(outcome);
    announce(outcome);
  };
  return (
    <button type="button" class="copy" onClick={() => void copy()} aria-label={`${words.copy}: ${label}`}>
      {result === words.copied ? <CheckIcon /> : <CopyIcon />}
      <span aria-hidden="true">{result ?? words.copy}</span>
    </button>
  );
}

/**
 * Writes to the clipboard and returns the result. The clipboard is unavailable on pages that are served neither over
 * HTTPS nor from this machine.
 */
async function write(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return words.copied;
  } catch {
    return words.copyFailed;
  }
}
