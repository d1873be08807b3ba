import { join } from 'node:path';
import type { OperatorConfig } from '#environment/operator-config.js';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalEndpoint } from '#temporal/connect.js';
import { readMountedEndpoint } from '#temporal/mounted-endpoint.js';
import type { TemporalPlace } from './temporal-namespace.js';
import type { TemporalGroup } from './temporal-namespaces.js';

type TemporalConfig = OperatorConfig['temporal'];
/** Returns the settings of servers that reach Temporal at this endpoint. */
type Provision = (temporal: TemporalEndpoint) => Promise<TemporalPlace['provisioning']>;

/**
 * Reads how the operator and registries reach each Temporal namespace. Throws one error with the errors of all groups.
 */
export async function readTemporalPlaces(
  config: TemporalConfig,
  provision: Provision,
): Promise<TemporalPlace & { temporalGroups: readonly TemporalGroup[] }> {
  const own = await ownEndpoint(config);
  const endpoints = await Promise.all(config.groups.map(({ name }) => readGroup(config.groupsDirectory, name)));
  const faults = groupFaults(own, endpoints);
  if (faults.length > 0) throw new Error(faults.join('; '));
  const { address, namespace } = own;
  const registries = (await readMountedEndpoint(config.registryDirectory)) ?? { address, namespace };
  const temporalGroups = await Promise.all(
    config.groups.map(async (group, index): Promise<TemporalGroup> => {
      const { registries: endpoint, directory } = endpoints[index]!;
      return {
        ...group,
        // Read the endpoint for each connection, because the Secret may have been replaced.
        connectTemporal: async () => connectTemporal(await requireEndpoint(join(directory, 'operator'))),
        temporalNamespace: endpoint!.namespace,
        provisioning: await provision(endpoint!),
      };
    }),
  );
  return {
    connectTemporal: async () => connectTemporal(await ownEndpoint(config)),
    temporalNamespace: namespace,
    provisioning: await provision(registries),
    temporalGroups,
  };
}

interface GroupEndpoints {
  readonly name: string;
  readonly directory: string;
  readonly operator: TemporalEndpoint | undefined;
  readonly registries: TemporalEndpoint | undefined;
}

async function readGroup(root: string, name: string): Promise<GroupEndpoints> {
  const directory = join(root, name);
  const [operator, registries] = await Promise.all(
    ['operator', 'registries'].map((role) => readMountedEndpoint(join(directory, role))),
  );
  return { name, directory, operator, registries };
}

/**
 * Returns an error for each group without a Temporal namespace of its own. If groups shared one, each could reach the
 * workflows of the other.
 */
function groupFaults(own: TemporalEndpoint, groups: readonly GroupEndpoints[]): string[] {
  const owners = new Map([[placeName(own), 'namespaces without a group']]);
  return groups.flatMap(({ name, directory, operator, registries }) => {
    if (!operator || !registries) {
      return [
        `Temporal group ${name}: ${directory}/operator and ${directory}/registries must hold a Secret with the address`,
      ];
    }
    if (operator.namespace !== registries.namespace) {
      return [
        `Temporal group ${name}: the operator would use namespace ${operator.namespace} and its registries ${registries.namespace}: use the same namespace for both`,
      ];
    }
    const place = placeName(operator);
    const owner = owners.get(place);
    owners.set(place, `group ${name}`);
    return owner === undefined
      ? []
      : [`Temporal group ${name}: ${place} is already that of ${owner}: each group needs its own Temporal namespace`];
  });
}

function placeName({ address, namespace }: TemporalEndpoint): string {
  return `namespace ${namespace} at ${address}`;
}

async function ownEndpoint({ directory, address, namespace }: TemporalConfig): Promise<TemporalEndpoint> {
  const mounted = await readMountedEndpoint(directory);
  if (mounted) return mounted;
  if (address === undefined)
    throw new Error(`TEMPORAL_ADDRESS: is required, as HOST:PORT, unless ${directory} holds a Secret with the address`);
  return { address, namespace };
}

async function requireEndpoint(directory: string): Promise<TemporalEndpoint> {
  const mounted = await readMountedEndpoint(directory);
  if (!mounted) throw new Error(`${directory} no longer holds a Secret with the address of Temporal`);
  return mounted;
}
