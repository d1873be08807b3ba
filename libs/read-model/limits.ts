/** Limits on the memory of the read model and on the size of its responses. */
export const READ_MODEL_LIMITS = {
  /** Maximum size of a page in bytes. A larger page is truncated, and its cursor leads to the rest. */
  pageBytes: 8 * 1024 * 1024,
  /**
   * Share of the memory budget for the data that every entry needs in addition to its document: names, texts and
   * indexes.
   */
  indexShare: 0.5,
  /**
   * Maximum number of characters of all searchable texts of a segment. With more, searches read the texts instead of an
   * index.
   */
  indexedCharacters: 32 * 1024 * 1024,
  /** Maximum number of distinct words in a segment. With more, searches read the texts instead of an index. */
  indexedWords: 500_000,
  /** Maximum number of distinct tags and facets in a segment. Entries that would exceed it are withheld. */
  terms: 8_000_000,
  /** Maximum number of cached positions and characters of filters, over all selections of one list. */
  keptPositions: 1_000_000,
  /** Maximum number of cached selections of one list. */
  keptSelections: 1000,
} as const;
