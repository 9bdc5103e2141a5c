interface ErrorText {
  /** Why it comes, in a sentence. */
  cause: string;
  /** What ends it, in a sentence; commands between backticks. */
  remedy: string;
}

/** Errors by their codes. */
export type ErrorTexts = Record<`BG-${string}`, ErrorText>;
