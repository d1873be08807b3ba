/** Where the API server is and how to prove who asks. */
export interface ClusterAccess {
  readonly server: URL;
  /** As they are at this moment: tokens and certificates rotate. */
  credentials(): Promise<Credentials>;
}

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
}

/** As `tls.connect` takes them. */
export interface TlsOptions {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}
