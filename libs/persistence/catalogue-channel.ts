/**
 * The NOTIFY channel that says "look again": sent in the transaction that publishes a revision or changes which
 * sources a registry has. The payload is `namespace/name` of the registry.
 */
export const CATALOGUE_CHANNEL = 'catalogue_changed';
