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
  IdleConnectionsLimited: 'Warning',
  EnforceServersIgnored: 'Normal',
  /** A source of the spec has the name of the one that is built in. */
  BuiltInSourceReplaced: 'Normal',
  /** Something that the server is to have mounted does not exist. */
  ReferenceNotFound: 'Warning',
  /** A name that the registry needs belongs to somebody else's object. */
  NameCollision: 'Warning',
  /** Of the podTemplateSpec. */
  UnknownFields: 'Warning',
  /** None of the user's containers is the server's. */
  SidecarsOnly: 'Warning',
  /** Another manager sets fields of our objects back again and again. */
  FieldContested: 'Warning',
} as const;

export type NoticeReason = keyof typeof NOTICES;

export const NOTICE_REASONS = Object.keys(NOTICES) as NoticeReason[];

/** What somebody should know of a registry beside its conditions: said once, as an event, when it becomes so. */
export interface Notice {
  readonly reason: NoticeReason;
  readonly message: string;
}

export function isWarning({ reason }: Notice): boolean {
  return NOTICES[reason] === 'Warning';
}
