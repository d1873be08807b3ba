import { RegistryError } from '#domain/registry-error.js';

/** The address that a server is configured to listen on. */
export interface WantedAddress {
  readonly host: string;
  readonly port: number;
  /** Name of the setting that selects another port. */
  readonly portSetting: string;
}

/** Returns an error that explains why a server cannot listen, with the remedy if there is one. */
export function listenFault({ host, port, portSetting }: WantedAddress, cause: NodeJS.ErrnoException): Error {
  const fault = (message: string) => new RegistryError('ValidationFailed', message, 'stop', { cause });
  switch (cause.code) {
    case 'EADDRINUSE':
      return fault(`port ${port} is in use; stop what listens there, or set ${portSetting} to a free port`);
    case 'EACCES':
      return fault(`this user may not listen on port ${port}: set ${portSetting} to a port above 1023`);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EADDRNOTAVAIL':
      return fault(`HOST ${host} is not an address of this machine (${cause.code}): set HOST to 0.0.0.0 or 127.0.0.1`);
    default:
      return cause;
  }
}
