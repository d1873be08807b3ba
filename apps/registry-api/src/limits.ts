/** What one registry API may hold in memory and do at a time for its readers. The limits of the read model are in `libs/read-model/limits.ts`. */
export const API_LIMITS = {
  /** Answers that are kept for one list of servers in one state. */
  keptAnswers: 2000,
  /** Length of a URL by which an answer is kept; those of real clients are shorter. */
  keptUrlLength: 1024,
  /** Bytes of all kept answers of the process, beside the memory that they share with the catalogue. */
  keptAnswerBytes: 16 * 1024 * 1024,
  /** URLs that are known to have been answered with 304, of one edition of the catalogue. */
  knownRevalidations: 10_000,
  /** Bodies of validations that are read at a time; they need no login. */
  concurrentValidations: 16,
  /** Answers that are compressed at a time; an answer that finds no free slot is sent uncompressed. */
  concurrentCompressions: 4,
  /** Share of the process's memory that answers on their way to clients may take, and its bounds in MiB. */
  answerMemory: { share: 1 / 8, least: 32, most: 256 },
  /** Requests that a read-only server hands on at a time, and the longest wait for their answer. */
  forwarded: { inFlight: 16, answerMs: 30_000 },
  /** Time for which clients with an open connection are still served after the server became unready. */
  drainMs: 3_000,
  /** Exports that are rendered, one at a time, or wait for it; one more is refused with 503. */
  queuedExports: 8,
  /** Servers of one export, and of those that it denies. */
  exportedEntries: 10_000,
  /** Bytes of the text of an export. */
  exportedBytes: 8 * 1024 * 1024,
  /** Milliseconds for one rendering. */
  exportDeadlineMs: 60_000,
  /** Share of the process's memory that the thread of renderings may take, and its bounds in MiB. */
  exportMemory: { share: 1 / 4, least: 96, most: 512 },
  /** Texts of exports that are kept, and bytes of all of them. */
  keptExports: 64,
  keptExportBytes: 32 * 1024 * 1024,
  /** Bytes of a spec whose effect is previewed. */
  previewBytes: 256 * 1024,
  /** What previews may take of a process; they need no login where a registry is anonymous. */
  preview: {
    /** Previews that are made at a time, at most one of each registry. */
    concurrent: 2,
    /** Milliseconds for one. */
    deadlineMs: 10_000,
    /** Characters of YAML, which takes a hundred times as long to parse as JSON: of a body, and of a `configYAML` in it. */
    yamlCharacters: 8 * 1024,
    /** Characters of all patterns of a spec: how long it takes to judge one entry is proportional to them. */
    patternCharacters: 64 * 1024,
  },
  /** Sums of allowed reads (caller, registry, source) that the audit log holds before it writes them down early. */
  auditSums: 1000,
  /** Characters of a path that the audit log writes down. */
  auditPathLength: 512,
} as const;
