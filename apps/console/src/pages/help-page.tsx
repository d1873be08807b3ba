import { consoleInfo, hasFeature } from '../api/console.js';
import { preferences, setPreference } from '../preferences.js';
import { Text } from '../parts/text.js';
import { useStore } from '../store.js';
import { words } from '../words.js';

const text = words.helpPage;

export function HelpPage() {
  return (
    <div class="page narrow">
      <h1 tabIndex={-1}>{words.help}</h1>
      <Keys />
      <About />
      <Links />
    </div>
  );
}

function Keys() {
  const { hasShortcuts } = useStore(preferences);
  return (
    <section>
      <h2>{text.keys}</h2>
      <label class="switch">
        <input
          type="checkbox"
          checked={hasShortcuts}
          onChange={(event) => setPreference({ hasShortcuts: event.currentTarget.checked })}
        />
        <span>
          {text.switch} <span class="muted">{text.switchHint}</span>
        </span>
      </label>
      <dl class="keys">
        {Object.entries(text.shortcuts).map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function About() {
  const info = useStore(consoleInfo);
  return (
    <section>
      <h2>{text.about}</h2>
      <dl class="facts">
        <div>
          <dt>{text.registry}</dt>
          <dd class="mono">
            <Text>{`${info?.registry.namespace}/${info?.registry.name}`}</Text>
          </dd>
        </div>
        <div>
          <dt>{text.version}</dt>
          <dd class="mono">{info?.version}</dd>
        </div>
      </dl>
      <p class="muted">{text.privacy}</p>
    </section>
  );
}

function Links() {
  const info = useStore(consoleInfo);
  return (
    <section>
      <h2>{text.links}</h2>
      <ul class="plain">
        <li>
          <a href="./reference">{text.reference}</a>
        </li>
        <li>
          <a href="./openapi.json">{text.openapi}</a>
        </li>
        {info && hasFeature(info, 'exports') && (
          <li>
            <a href="./registry/exports">{text.exports}</a>
          </li>
        )}
        <li>
          <a href="./console/licences.txt">{text.licences}</a>
        </li>
      </ul>
    </section>
  );
}
