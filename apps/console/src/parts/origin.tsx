import { consoleInfo, hasFeature } from '../api/console.js';
import { explainPath } from '../api/explain.js';
import type { Explanation, VersionVerdict } from '../api/explain.js';
import { usePartialCatalogue } from '../api/use-partial-catalogue.js';
import { useResource } from '../api/use-resource.js';
import { formatRoute } from '../route.js';
import { useStore } from '../store.js';
import { describeVerdict } from '../verdict.js';
import { words } from '../words.js';
import { useMayReadState } from '../session/use-may-read-state.js';
import { ShortText, Text } from './text.js';

/** Shows where a name comes from, and why the name or one of its versions is not served, in the server's own words. */
export function Origin({ name }: { readonly name: string }) {
  const info = useStore(consoleInfo);
  const mayRead = useMayReadState();
  const isOn = info !== undefined && mayRead && hasFeature(info, 'explain');
  const { data } = useResource<Explanation>(isOn ? explainPath(info.registry.name, name) : undefined);
  // The content of a source that has never been synced is unknown, so the page must not suggest that it lacks the name.
  const unknown = usePartialCatalogue()?.missing ?? [];
  if (!data) return null;
  return (
    <section>
      <h2>{words.server.why}</h2>
      <ul class="origins">
        {data.sources.map((source) => (
          <li key={source.source}>
            <a href={formatRoute({ page: 'source', name: source.source })}>
              <ShortText limit={80}>{source.source}</ShortText>
            </a>
            <span>
              <Text limit={2000}>{unknown.includes(source.source) ? words.sync.never : describeVerdict(source)}</Text>
            </span>
            <Versions versions={source.versions.filter(({ verdict }) => verdict !== source.verdict)} />
          </li>
        ))}
      </ul>
      {data.near.length > 0 && data.served === null && <Similar names={data.near} />}
    </section>
  );
}

function Versions({ versions }: { readonly versions: readonly VersionVerdict[] }) {
  if (versions.length === 0) return null;
  return (
    <ul class="variables">
      {versions.map((version) => (
        <li key={version.version}>
          <code>
            <ShortText limit={60}>{version.version}</ShortText>
          </code>{' '}
          <Text limit={2000}>{describeVerdict(version)}</Text>
        </li>
      ))}
    </ul>
  );
}

const Similar = ({ names }: { readonly names: readonly string[] }) => (
  <>
    <h3>{words.server.similar}</h3>
    <ul class="plain">
      {names.map((name) => (
        <li key={name}>
          <a href={formatRoute({ page: 'server', name })}>
            <ShortText>{name}</ShortText>
          </a>
        </li>
      ))}
    </ul>
  </>
);
