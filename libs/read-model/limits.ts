/** What the read model may hold in memory and answer with at a time. */
export const READ_MODEL_LIMITS = {
  /** Bytes of one page: a page ends early rather than exceed them, and its cursor leads to the rest. */
  pageBytes: 8 * 1024 * 1024,
  /** Share of the memory budget that may go to what every entry needs beside its document: names, texts, indexes. */
  indexShare: 0.5,
  /** Characters of all searchable texts of a segment; with more of them searches read the texts instead of an index. */
  indexedCharacters: 32 * 1024 * 1024,
  /** Distinct words of a segment; with more of them searches read the texts instead of an index. */
  indexedWords: 500_000,
  /** Positions of list selections that are kept, over all selections of one list. */
  keptPositions: 1_000_000,
  /** Selections that are kept of one list. */
  keptSelections: 1000,
} as const;
