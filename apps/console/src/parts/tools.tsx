import { words } from '../words.js';
import { ShortText } from './text.js';

/** Maximum number of tools listed, because the list is only meant to give an impression. */
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
