/** Why an entry, or one of its ways, is not in a text; each reason with one sentence for people. */
export const OMISSION_REASONS = {
  'no-ways': 'The entry has neither a package nor a remote.',
  'filtered-transport': 'The parameter transport leaves this way out.',
  'not-preferred': 'Another way of the entry was taken.',
  bundle: 'A bundle has no command that could be written down.',
  'no-launcher': 'There is no launcher for packages of this type.',
  'runtime-hint': 'The runtime arguments are meant for another program than the usual launcher.',
  'private-feed': 'The launcher cannot be given the private registry of the package.',
  'local-http': 'The client would have to start the package and to know its port.',
  'needs-input': 'A required value has no place in which this client could be given it.',
  'variable-in-command': 'The command depends on a value of the user, or holds text that the client would replace.',
  'variable-in-url': 'The URL depends on a value of the user.',
  'credentials-in-url': 'The URL carries a user name or password.',
  'wildcard-in-url': 'The URL holds an asterisk, which a policy would take for a wildcard.',
  'placeholder-in-url': 'The URL or a header holds text that the client would replace.',
  'insecure-url': 'The client takes https URLs only.',
  'transport-unsupported': 'The client does not have this transport.',
  'remote-unsupported': 'The client reaches no remote servers.',
  'stdio-unsupported': 'The client starts no local servers.',
  unpinned: 'The package names no fixed version.',
  'digest-unsupported': 'The format has no place for the digest of an image.',
  'missing-tools': 'The format wants the names of the tools, which are not known.',
  'field-too-long': 'A value is longer than the format allows.',
  'control-character': 'A value holds control, bidirectional or zero-width characters, or half of a surrogate pair.',
  'same-origin': 'The rule would also admit another entry of the same origin.',
  'fails-client-schema': 'A value is not what the client accepts in its place.',
  internal: 'The entry could not be rendered because of a fault of this server, which its log names.',
} as const;

export type OmissionReason = keyof typeof OMISSION_REASONS;

export const NOTES = {
  unpinned: 'The package names no fixed version: another one may run tomorrow.',
  'default-used': 'The default of a value is written.',
  'default-value-only': 'The rule admits the default of a value only.',
  'optional-input-left-out': 'A value that the user may give is left out.',
  'secret-value-withheld': 'A secret that the publisher wrote down is asked for instead.',
  'integrity-not-expressible': 'The format has no place for the hash of the package.',
  'runtime-hint-ignored': 'The usual launcher is written instead of the one that the publisher names.',
  'user-must-add': 'The user has to add values to the file.',
  'same-command-as': 'Another entry has the same command or URL.',
  'root-path-uncertain': 'It is not documented whether the client takes this URL for a whole origin.',
  'admits-more-than-entry': 'The rule admits more than this entry.',
  shortened: 'A text was cut.',
  'second-remote-ignored': 'The file has room for one remote of an entry.',
  'deny-would-match-allowed': 'A deny rule was left out, since it would match an allowed entry.',
  'literal-dollar': 'A value holds a dollar sign that is meant literally.',
} as const;

export type NoteName = keyof typeof NOTES;

/** Thrown while one way or entry is rendered: it cannot be expressed in this format. */
export class Omitted extends Error {
  constructor(
    readonly reason: OmissionReason,
    readonly detail?: string,
    /** JSON pointer into the server.json. */
    readonly path?: string,
  ) {
    super(detail ?? OMISSION_REASONS[reason]);
    this.name = 'Omitted';
  }
}
