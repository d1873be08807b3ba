/** Reasons why an entry, or one of its launch options, is left out of an export, each with one sentence for users. */
export const OMISSION_REASONS = {
  'no-ways': 'The entry has neither a package nor a remote.',
  'filtered-transport': 'Excluded by the parameter transport.',
  'not-preferred': 'Another package or remote of the entry was used.',
  denied: 'The parameter deny lists a source that has this server, or the same server under another name.',
  bundle: 'A bundle has no launch command.',
  'no-launcher': 'There is no launcher for packages of this type.',
  'runtime-hint': 'The runtime arguments are meant for a program other than the usual launcher.',
  'private-feed': 'The launcher cannot be configured to use the private registry of the package.',
  'local-http': 'The package listens on a port: the client would have to start it and know the port.',
  'needs-input': 'The file of this client has no field for a required value.',
  'variable-in-command': 'The command depends on a value of the user, or contains text that the client would replace.',
  'variable-in-url': 'The URL depends on a value of the user.',
  'credentials-in-url': 'The URL carries a user name or password.',
  'wildcard-in-url': 'The URL contains an asterisk, which a policy would treat as a wildcard.',
  'placeholder-in-url': 'The URL or a header contains text that the client would replace.',
  'insecure-url': 'The client accepts only https URLs.',
  'transport-unsupported': 'The client does not support this transport.',
  'remote-unsupported': 'The client does not support remote servers.',
  'stdio-unsupported': 'The client does not support local servers.',
  unpinned: 'The package has no fixed version.',
  'digest-unsupported': 'The format has no field for the digest of an image.',
  'missing-tools': 'The format requires the names of the tools, which are not known.',
  'field-too-long': 'A value is longer than the format allows.',
  'control-character': 'A value contains control, bidirectional or zero-width characters, or half of a surrogate pair.',
  'same-origin': 'The rule would also admit another entry of the same origin.',
  'too-large': 'The entry is larger than an entry of an export may be.',
  'fails-client-schema': 'A value is not one that the client accepts.',
  internal: 'The entry could not be rendered because of an error in this server; see its log.',
} as const;

export type OmissionReason = keyof typeof OMISSION_REASONS;

export const NOTES = {
  unpinned: 'The package has no fixed version: another one may run tomorrow.',
  'default-used': 'The default of a value is written.',
  'default-value-only': 'The rule allows only the default of a value.',
  'optional-input-left-out': 'An optional value is left out.',
  'secret-value-withheld': 'The client asks the user for a secret; the one in the entry is not used.',
  'integrity-not-expressible': 'The format has no field for the hash of the package.',
  'runtime-hint-ignored': 'The usual launcher is used instead of the one that the publisher chose.',
  'user-must-add': 'The user has to add values to the file.',
  'same-command-as': 'Another entry has the same command or URL.',
  'root-path-uncertain': 'It is not documented whether a rule with this URL admits the whole origin.',
  'admits-more-than-entry': 'The rule allows more than this entry.',
  shortened: 'A string was truncated.',
  'second-remote-ignored': 'The file has room for one remote of an entry.',
  'short-name-denied': 'A deny rule contains the short name of this entry: the user has to choose another one.',
  'literal-dollar': 'A value contains a literal dollar sign.',
} as const;

export type NoteName = keyof typeof NOTES;

/** Thrown while an entry or one of its launch options is rendered, if the format cannot express it. */
export class Omitted extends Error {
  constructor(
    readonly reason: OmissionReason,
    readonly detail: string | undefined = undefined,
    /** JSON pointer into the server.json. */
    readonly path: string | undefined = undefined,
  ) {
    // An `Omitted` is an expected outcome and thrown for thousands of entries, and collecting a stack trace would take
    // most of the time.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(detail ?? OMISSION_REASONS[reason]);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'Omitted';
  }
}
