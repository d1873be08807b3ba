import { words } from '../words.js';
import { ShortText } from './text.js';

/** More than this is not listed: a list of tools is there to get an idea. */
const MOST = 500;

export function Tools({ tools }: { readonly tools: readonly string[] }) {
  if (tools.length === 0) return null;
  return (
    <section>
      <details class="fold" open={tools.length <= 24}>
        <summary>
          <h2>{words.server.tools(tools.length)}</h2>
        </summary>
        <ul class="tools-list">
          {tools.slice(0, MOST).map((tool) => (
            <li key={tool}>
              <code>
                <ShortText limit={100}>{tool}</ShortText>
              </code>
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}
