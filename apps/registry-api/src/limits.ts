/**
 * Limits of one registry API for memory and concurrency. Those of the read model are in `libs/read-model/limits.ts`.
 */
export const API_LIMITS = {
  /** Maximum number of cached answers for one list of servers in one state. */
  keptAnswers: 2000,
  /** Maximum length of a URL that is used as a cache key. The URLs of real clients are shorter. */
  keptUrlLength: 1024,
  /**
   * Maximum bytes of all cached answers of the process, in addition to the memory that they share with the catalogue.
   */
  keptAnswerBytes: 16 * 1024 * 1024,
  /** Maximum number of URLs of earlier 304 responses that are remembered for one edition of the catalogue. */
  knownRevalidations: 10_000,
  /** Maximum number of validation requests whose bodies are read concurrently. The endpoint needs no login. */
  concurrentValidations: 16,
  /** Maximum number of concurrent compressions. A response that finds no free slot is sent uncompressed. */
  concurrentCompressions: 4,
  /** Maximum number of requests that take long to compute: in progress, and in progress or waiting. */
  costlyReads: { concurrent: 4, admitted: 256 },
  /** Share of the process's memory for responses that are being sent, with its bounds in MiB. */
  answerMemory: { share: 1 / 8, least: 32, most: 256 },
  /** Maximum requests that a read-only server forwards at the same time, and the maximum wait for each response. */
  forwarded: { inFlight: 16, answerMs: 30_000 },
  /** How long clients with an open connection are still served after the server has become unready. */
  drainMs: 3_000,
  /**
   * Maximum number of exports that are being rendered or wait for it. Only one is rendered at a time; further requests
   * get a 503.
   */
  queuedExports: 8,
  /** Maximum number of servers in one export, and of servers that it denies. */
  exportedEntries: 10_000,
  /** Maximum bytes of the text of an export. */
  exportedBytes: 8 * 1024 * 1024,
  /**
   * Maximum memory of one entry of an export, which is about twice the length of its JSON. The largest entry in public
   * catalogues takes a third of it.
   */
  exportedEntryBytes: 256 * 1024,
  /** Maximum memory of all entries of an export, as a share of that of the rendering thread. */
  exportedShare: 1 / 3,
  /** Deadline of one rendering. */
  exportDeadlineMs: 60_000,
  /** Time during which a rendering that failed is not repeated for the same state. */
  failedExportMs: 60_000,
  /** Share of the process's memory for the rendering thread, with its bounds in MiB. */
  exportMemory: { share: 1 / 4, least: 96, most: 512 },
  /** Maximum number of cached export texts, and their maximum total bytes. */
  keptExports: 64,
  keptExportBytes: 32 * 1024 * 1024,
  /**
   * Maximum total of the declared body bytes of unanswered requests: previews, other reads by POST, and writes. Each
   * kind has its own share, because clients without login can use up the first two.
   */
  bodyBytes: { previews: 4 * 1024 * 1024, reads: 16 * 1024 * 1024, writes: 32 * 1024 * 1024 },
  /** Maximum bytes of a spec to be previewed. */
  previewBytes: 256 * 1024,
  /** Limits of previews, which need no login if a registry is anonymous. */
  preview: {
    /** Maximum concurrent previews; at most one per registry. */
    concurrent: 2,
    /** Deadline of one preview. */
    deadlineMs: 10_000,
    /**
     * Maximum characters of YAML, in a body or in its `configYAML`. YAML takes a hundred times as long to parse as
     * JSON.
     */
    yamlCharacters: 8 * 1024,
    /** Maximum characters of all patterns of a spec. The time to evaluate an entry is proportional to them. */
    patternCharacters: 16 * 1024,
  },
  /**
   * Maximum number of sums of allowed reads (caller, registry, source) in the audit log. At this number they are logged
   * early.
   */
  auditSums: 1000,
  /** Maximum characters of a path in the audit log. */
  auditPathLength: 512,
} as const;
