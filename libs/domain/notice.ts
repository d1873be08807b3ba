/** Each is the reason of a Kubernetes Event, by the event's type. */
const NOTICES = {
  /** A site has a floor for intervals. */
  IntervalClamped: 'Warning',
  FilterExcludedAll: 'Warning',
  SourceEmpty: 'Warning',
  /** More than one of commit, tag and branch. */
  MultipleGitRefs: 'Warning',
  /** Something else in the spec wins over what they refer to. */
  RefsIgnored: 'Warning',
  /** The address guard refuses requests to an identity provider. */
  ProviderAddressRefused: 'Warning',
  /** A source sends credentials over http:// to another machine. */
  CredentialsUnprotected: 'Warning',
  IdleConnectionsLimited: 'Warning',
  EnforceServersIgnored: 'Normal',
  /** A source of the spec has the name of the one that is built in. */
  BuiltInSourceReplaced: 'Normal',
  /** Something that the server is to have mounted does not exist. */
  ReferenceNotFound: 'Warning',
  /** A webhook has a secret that could be guessed; its deliveries are refused. */
  WebhookSecretWeak: 'Warning',
  /** An object with a name that the registry needs belongs to another owner. */
  NameCollision: 'Warning',
  /** The podTemplateSpec has fields that pods do not have. */
  UnknownFields: 'Warning',
  /** None of the user's containers is the server's. */
  SidecarsOnly: 'Warning',
  /** Another manager sets fields of our objects back again and again. */
  FieldContested: 'Warning',
  /** The data of a registry without a database lies in the pod of its server, where read-only servers cannot reach it. */
  ReadersNeedDatabase: 'Warning',
  /** The cluster's API server refuses for now what the server of the registry is made of; a running server goes on. */
  ProvisioningDelayed: 'Warning',
} as const;

export type NoticeReason = keyof typeof NOTICES;

export const NOTICE_REASONS = Object.keys(NOTICES) as NoticeReason[];

/** A remark on a registry beside its conditions; it is reported once, as an event, when it arises. */
export interface Notice {
  readonly reason: NoticeReason;
  readonly message: string;
}

export function isWarning({ reason }: Notice): boolean {
  return NOTICES[reason] === 'Warning';
}
