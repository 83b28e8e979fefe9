/**
 * Lets the last words of the text grow without reading it again.
 *
 * Most of what arrives is words. Behind a word, more words cannot change how anything before them is
 * read: every construct of Markdown opens, closes or ends at a sign or at the end of a line. So they
 * are put behind the last text, which is what reading again would do (words.test.ts holds it to that).
 * Whatever is not plainly such a case is left to the parser.
 */
import type { Segment } from "./parse";
import type { Block, Inline, Item } from "./tree";

/** What opens and closes nothing in the middle of a line, with the exceptions below. */
const WORDS = /^[\p{L}\p{M}\p{N} ,.:;!?'"()/+=%±×–—’“”-]*$/u;
/** Addresses become links by themselves. */
const ADDRESS = /www|\/\//i;
/** These could close a link that is open, or a definition's title. */
const CLOSERS = /['")]/;
const OPEN_LINK = /\][(:]/;
/** A word that has been one from its blank on: not in `<b`, `&amp` or `[a`. Digits could number a list. */
const LAST_WORD = /(?<= )(?=[^ ]*\p{L})[\p{L}\p{N}]{1,80}$/u;

/** A segment that words may be put behind, and the word that its source ends in. */
export type Grows = { segment: Segment; word: string; readTo: number; openLink: boolean };

/** Whether words may be put behind this segment, which ends where `source` does. */
export function mayGrow(segment: Segment, source: string): Grows | null {
  // A definition could stop being one.
  if (segment.definitions.size > 0 || segment.notes.size > 0) return null;
  // Blanks at the end belong to nothing until a word follows.
  const text = source.slice(segment.start).replace(/ +$/, "");
  const word = LAST_WORD.exec(text.slice(-100))?.[0];
  if (word === undefined) return null;
  return { segment, word, readTo: segment.start + text.length, openLink: OPEN_LINK.test(text) };
}

/** The segment with all that `source` has beyond it, or null when the parser has to read it. */
export function withWords({ segment, word, readTo, openLink }: Grows, source: string): Segment | null {
  const more = source.slice(readTo);
  if (!WORDS.test(more) || ADDRESS.test(word + more) || (openLink && CLOSERS.test(more))) return null;
  const blocks = inBlocks(segment.blocks, { word, more: more.replace(/ +$/, "") });
  return blocks && { ...segment, end: source.length, blocks };
}

type Words = { word: string; more: string };

function inBlocks(blocks: readonly Block[], words: Words): Block[] | null {
  return withLast(blocks, (block) => inBlock(block, words));
}

function inBlock(block: Block, words: Words): Block | null {
  switch (block.type) {
    case "paragraph":
    case "heading": {
      const children = inText(block.children, words);
      return children && { ...block, children };
    }
    case "quote": {
      const children = inBlocks(block.children, words);
      return children && { ...block, children };
    }
    case "list": {
      const items = withLast(block.items, (item) => inItem(item, words));
      return items && { ...block, items };
    }
    case "table": {
      const rows = withLast(block.rows, (row) => withLast(row, (cell) => inText(cell, words)));
      return rows && { ...block, rows };
    }
    default:
      return null;
  }
}

function inItem(item: Item, words: Words): Item | null {
  const children = inBlocks(item.children, words);
  return children && { ...item, children };
}

/** Only behind plain text, and only where that is what the source ends in. */
function inText(nodes: readonly Inline[], { word, more }: Words): Inline[] | null {
  return withLast(nodes, (node) => {
    if (node.type !== "text" || !node.value.endsWith(word)) return null;
    return { type: "text", value: node.value + more };
  });
}

/** The list with its last member changed, or null when there is none or it cannot be. */
function withLast<T>(list: readonly T[], change: (last: T) => T | null): T[] | null {
  const last = list.at(-1);
  const changed = last === undefined ? null : change(last);
  return changed === null ? null : [...list.slice(0, -1), changed];
}
