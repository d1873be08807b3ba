import { shortened } from './shortened.js';

/** The reasons of notices, with the type of the Kubernetes Event that reports them. */
const NOTICES = {
  /** The interval is below the minimum of the site. */
  IntervalClamped: 'Warning',
  FilterExcludedAll: 'Warning',
  SourceEmpty: 'Warning',
  /** Discovered servers have no version of their own, so they are served with a default. */
  VersionAssumed: 'Warning',
  /** Fields of entries were null, which counts as absent. */
  NullsDropped: 'Normal',
  /** More than one of commit, tag and branch is set. */
  MultipleGitRefs: 'Warning',
  /** References have no effect, because another part of the spec takes precedence. */
  RefsIgnored: 'Warning',
  /** The address guard blocks requests to an identity provider. */
  ProviderAddressRefused: 'Warning',
  /** A source sends credentials over http:// to another machine. */
  CredentialsUnprotected: 'Warning',
  IdleConnectionsLimited: 'Warning',
  EnforceServersIgnored: 'Normal',
  /** A source of the spec has the name of the built-in source. */
  BuiltInSourceReplaced: 'Normal',
  /** An object that the server should mount does not exist. */
  ReferenceNotFound: 'Warning',
  /** The secret of a webhook could be guessed, so its deliveries are rejected. */
  WebhookSecretWeak: 'Warning',
  /** An object with a name that the registry needs has another owner. */
  NameCollision: 'Warning',
  /** The podTemplateSpec has fields that pods do not have. */
  UnknownFields: 'Warning',
  /** None of the user's containers is the server's. */
  SidecarsOnly: 'Warning',
  /** Another manager keeps changing fields of our objects. */
  FieldContested: 'Warning',
  /**
   * Read-only servers are impossible, because the data of the registry is in the pod of its server, where they cannot
   * reach it, or because its database allows too few connections.
   */
  ReadersNeedDatabase: 'Warning',
  /** A server without a database was scaled, so each of its pods has its own data. */
  EphemeralStore: 'Warning',
  /** The API server of the cluster currently rejects objects of the registry's server. A running server continues. */
  ProvisioningDelayed: 'Warning',
} as const;

export type NoticeReason = keyof typeof NOTICES;

export const NOTICE_REASONS = Object.keys(NOTICES) as NoticeReason[];

/** A remark on a registry, in addition to its conditions. It is reported once, as an event, when it first occurs. */
export interface Notice {
  readonly reason: NoticeReason;
  readonly message: string;
}

/** Maximum UTF-16 code units in the message of a notice, which is the limit for a Kubernetes Event. */
const NOTICE_LIMIT = 1024;

/**
 * Truncates the messages of notices to a length that workflow histories and events accept, because they may quote names
 * chosen by a tenant.
 */
export function boundedNotices(notices: readonly Notice[]): Notice[] {
  return notices.map(({ reason, message }) => ({ reason, message: shortened(message, NOTICE_LIMIT) }));
}

export function isWarning({ reason }: Notice): boolean {
  return NOTICES[reason] === 'Warning';
}
