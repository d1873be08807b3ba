import type { Package, ServerJson, Transport } from '../api/server-document.js';
import { words } from '../words.js';
import { CopyButton } from './copy-button.js';
import { Inputs, variablesAsInputs } from './inputs.js';
import { Text } from './text.js';

const text = words.server;

/** Every way of using a server, with the inputs that have to be filled in. */
export function Ways({ server }: { readonly server: ServerJson }) {
  const { remotes = [], packages = [] } = server;
  return (
    <section>
      <h2>{text.ways}</h2>
      {remotes.length + packages.length === 0 && <p class="muted">{text.noWays}</p>}
      {remotes.map((remote, at) => (
        <Remote key={at} remote={remote} />
      ))}
      {packages.map((one, at) => (
        <PackageWay key={at} of={one} />
      ))}
    </section>
  );
}

function Remote({ remote }: { readonly remote: Transport }) {
  return (
    <article class="way">
      <h3>
        <span class="badge remote">{text.remote}</span> <Text limit={40}>{remote.type}</Text>
      </h3>
      <Address address={remote.url ?? ''} />
      <Inputs title={text.inputs.headers} inputs={remote.headers} />
      <Inputs title={text.inputs.variables} inputs={variablesAsInputs(remote.variables)} />
    </article>
  );
}

function PackageWay({ of }: { readonly of: Package }) {
  const { registryType, identifier, version, transport, registryBaseUrl, runtimeHint } = of;
  return (
    <article class="way">
      <h3>
        <span class="badge">{text.package}</span> <Text limit={40}>{registryType}</Text>{' '}
        <span class="muted">
          · <Text limit={40}>{transport.type}</Text>
          {runtimeHint !== undefined && (
            <>
              {' '}
              · <Text limit={60}>{text.runtime(runtimeHint)}</Text>
            </>
          )}
          {registryBaseUrl !== undefined && (
            <>
              {' '}
              · <Text limit={200}>{text.from(registryBaseUrl)}</Text>
            </>
          )}
        </span>
      </h3>
      <Address address={withVersion(identifier, version)} />
      {transport.url !== undefined && <Address address={transport.url} />}
      <Inputs title={text.inputs.environment} inputs={of.environmentVariables} />
      <Inputs title={text.inputs.packageArguments} inputs={of.packageArguments} />
      <Inputs title={text.inputs.runtimeArguments} inputs={of.runtimeArguments} />
      <Inputs title={text.inputs.headers} inputs={transport.headers} />
      <Inputs title={text.inputs.variables} inputs={variablesAsInputs(transport.variables)} />
    </article>
  );
}

/** Appends the version, unless the identifier already ends with it. */
const withVersion = (identifier: string, version: string | undefined): string =>
  version === undefined || identifier.endsWith(version) ? identifier : `${identifier}@${version}`;

const Address = ({ address }: { readonly address: string }) => (
  <div class="address">
    <code>
      <Text limit={500}>{address}</Text>
    </code>
    <CopyButton text={address} label={address.slice(0, 100)} />
  </div>
);
