import type { ComponentChildren } from 'preact';
import { officialMeta, publisherNotes } from '../api/server-document.js';
import type { ServerEntry } from '../api/server-document.js';
import { EVERYTHING, formatRoute } from '../route.js';
import { words } from '../words.js';
import { ExternalLink } from './external-link.js';
import { ShortText, Text } from './text.js';
import { DateOnly } from './time.js';

const text = words.server;
/** Maximum number of tags shown, because a document may have thousands. */
const MOST_TAGS = 40;

/** Shows the most important facts about a version. */
export function ServerFacts({ entry }: { readonly entry: ServerEntry }) {
  const { repository, websiteUrl } = entry.server;
  const { publishedAt, updatedAt } = officialMeta(entry);
  const { tags, tier } = publisherNotes(entry.server);
  return (
    <aside class="panel facts-panel">
      <h2>{text.facts}</h2>
      <dl class="facts">
        {repository?.url !== undefined && (
          <Fact name={text.repository}>
            <ExternalLink url={repository.url} />
          </Fact>
        )}
        {repository?.subfolder !== undefined && (
          <Fact name={text.repositoryFolder}>
            <code>
              <ShortText>{repository.subfolder}</ShortText>
            </code>
          </Fact>
        )}
        {websiteUrl !== undefined && (
          <Fact name={text.website}>
            <ExternalLink url={websiteUrl} />
          </Fact>
        )}
        {publishedAt !== undefined && (
          <Fact name={text.published}>
            <DateOnly iso={publishedAt} />
          </Fact>
        )}
        {updatedAt !== undefined && (
          <Fact name={text.updated}>
            <DateOnly iso={updatedAt} />
          </Fact>
        )}
        {tier !== undefined && (
          <Fact name={text.tier}>
            <Text limit={60}>{tier}</Text>
          </Fact>
        )}
        {tags.length > 0 && (
          <Fact name={text.tags}>
            <Tags tags={tags} />
          </Fact>
        )}
      </dl>
    </aside>
  );
}

const Fact = ({ name, children }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

const Tags = ({ tags }: { readonly tags: readonly string[] }) => (
  <ul class="tags">
    {tags.slice(0, MOST_TAGS).map((tag) => (
      <li key={tag}>
        <a class="badge" href={formatRoute({ page: 'servers', search: { ...EVERYTHING, chosen: { tag: [tag] } } })}>
          <ShortText limit={40}>{tag}</ShortText>
        </a>
      </li>
    ))}
  </ul>
);
