/**
 * The NOTIFY channel that tells listeners to look again. A notification is sent in the transaction that publishes a
 * revision or changes the list of sources of a registry. The payload is `namespace/name` of the registry.
 */
export const CATALOGUE_CHANNEL = 'catalogue_changed';
