import type { PartialCatalogue } from '../api/use-partial-catalogue.js';
import { formats } from '../format.js';
import { words } from '../words.js';
import { ShortText, Text } from './text.js';

interface PartialBarProps {
  readonly partial: PartialCatalogue;
  /** The source whose servers are shown. */
  readonly shown: string;
  onChoose(source: string): void;
}

/** Says which sources are missing, and lets the user choose from the available ones. */
export const PartialBar = ({ partial, shown, onChoose }: PartialBarProps) => (
  <div class="hint partial" role="status">
    <p>
      <Text limit={500}>{words.list.partial(formats.list(partial.missing), partial.missing.length)}</Text>{' '}
      <a href="#/sources">{words.sources}</a>
    </p>
    {partial.synced.length > 1 && (
      <label>
        {words.list.serversOf}{' '}
        <select value={shown} onChange={(event) => onChoose(event.currentTarget.value)}>
          {partial.synced.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
    )}
    {partial.synced.length === 1 && (
      <p class="muted">
        {words.list.serversOf} <ShortText limit={63}>{shown}</ShortText>
      </p>
    )}
  </div>
);
