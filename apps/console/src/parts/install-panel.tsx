import { useEffect, useState } from 'preact/hooks';
import { exportPath, exportsPath, installLinksPath, reportPath } from '../api/exports.js';
import type { ExportFormat, ExportIndex, ExportReport, InstallLinks } from '../api/exports.js';
import { requestText } from '../api/request.js';
import type { Scope } from '../api/servers.js';
import { useResource } from '../api/use-resource.js';
import { preferences, setPreference } from '../preferences.js';
import { isInstallLink } from '../text/links.js';
import { useStore } from '../store.js';
import { words } from '../words.js';
import { Loading } from './notice.js';
import { CodeBlock } from './raw-document.js';
import { Text } from './text.js';

const text = words.install;

interface ExportedProps {
  readonly name: string;
  readonly scope: Scope;
}

/**
 * Shows how to install a server into a client. The instructions come from the exports of the registry, so the page
 * knows no formats itself.
 */
export function InstallPanel({ name, scope }: ExportedProps) {
  const index = useResource<ExportIndex>(exportsPath(scope)).data;
  const { client } = useStore(preferences);
  const formats = (index?.formats ?? []).filter(({ purpose, id }) => purpose === 'client' && id !== 'install-links');
  const format = formats.find(({ id }) => id === client) ?? formats[0];
  return (
    <section class="panel install">
      <h2 tabIndex={-1} data-install>
        {text.title}
      </h2>
      {index && !format && <p class="muted">{text.noClient}</p>}
      {format && (
        <>
          <label class="field">
            <span>{text.client}</span>
            <select value={format.id} onChange={(event) => setPreference({ client: event.currentTarget.value })}>
              {formats.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.client}
                </option>
              ))}
            </select>
          </label>
          <File name={name} scope={scope} format={format} />
          <Report name={name} scope={scope} format={format} />
          <Links name={name} scope={scope} />
        </>
      )}
    </section>
  );
}

/** Links that open a client. What each one opens is shown before it can be clicked. */
function Links({ name, scope }: ExportedProps) {
  const { data } = useResource<InstallLinks>(installLinksPath(name, scope));
  const links = Object.entries(data?.entries.find((entry) => entry.name === name)?.links ?? {}).filter(([, link]) =>
    isInstallLink(link),
  );
  if (links.length === 0) return null;
  return (
    <>
      <h3>{text.byLink}</h3>
      <ul class="install-links">
        {links.map(([client, link]) => (
          <li key={client}>
            <InstallLink client={text.links[client] ?? client} link={link} />
          </li>
        ))}
      </ul>
    </>
  );
}

const InstallLink = ({ client, link }: { readonly client: string; readonly link: string }) => (
  <details>
    <summary>{client}</summary>
    <p class="muted">{text.opens}</p>
    <pre>
      <Text limit={4000}>{link}</Text>
    </pre>
    <a class="button primary" href={link} rel="noopener noreferrer nofollow" target="_blank">
      {text.open(client)}
    </a>
  </details>
);

function File({ name, scope, format }: ExportedProps & { readonly format: ExportFormat }) {
  const content = useText(exportPath(format.id, name, scope));
  return (
    <>
      <p class="muted">
        <Text limit={500}>{format.wherePut ?? format.file}</Text>
      </p>
      {content === undefined ? <Loading /> : <CodeBlock text={content} label={format.file} />}
    </>
  );
}

/** Shows what could not be expressed in the format, and hints for the user. */
function Report({ name, scope, format }: ExportedProps & { readonly format: ExportFormat }) {
  const { data } = useResource<ExportReport>(reportPath(format.id, name, scope));
  const entry = data?.entries.find((one) => one.name === name);
  if (!entry) return null;
  // Not missing: the export contains another way of using the same server.
  const omitted = [entry, ...(entry.ways ?? [])].filter(
    ({ reason }) => reason !== undefined && reason !== 'not-preferred',
  );
  if (omitted.length === 0) return null;
  return (
    <>
      {entry.status === 'omitted' && <p class="hint warn">{text.omitted}</p>}
      <ul class="variables">
        {omitted.map(({ reason = '', detail }, at) => (
          <li key={at}>
            <Text limit={500}>{detail ?? text.reasons[reason] ?? reason}</Text>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Fetches a text; undefined until it has arrived. If it is unavailable, returns the reason instead. */
function useText(path: string): string | undefined {
  const [state, setState] = useState<{ path: string; content: string }>();
  useEffect(() => {
    const abort = new AbortController();
    requestText(path, abort.signal).then(
      (content) => setState({ path, content }),
      (error: unknown) => {
        if (!abort.signal.aborted) setState({ path, content: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => abort.abort();
  }, [path]);
  return state?.path === path ? state.content : undefined;
}
