/** The Markdown renderer: `<Markdown source streaming />`, what it asks of the app, and its pure parts. */
export { type MarkdownActions, MarkdownActionsProvider } from "./actions";
export { type BenchResult, benchMarkdown, sampleAnswer } from "./bench";
export { toCsv } from "./csv";
export { disguisedHost, safeLink } from "./links";
export { Markdown } from "./Markdown";
export { MarkdownStream, type Reading } from "./stream";
export { markdownText } from "./strings";
export type { Block, Inline } from "./tree";
export { joinUnits } from "./units";
