import { describe, expect, it } from "vitest";
import { parseSegments } from "./parse";
import { MarkdownStream, type Reading } from "./stream";
import type { Block } from "./tree";
import { mayGrow, withWords } from "./words";

const NOTHING = { links: new Map<string, string>(), notes: new Set<string>() };

/** Words behind the text without reading it, or null where it is left to the parser. */
function grown(text: string, more: string): Block[] | null {
  const [segment] = parseSegments(text, 0, NOTHING);
  const grows = segment ? mayGrow(segment, text) : null;
  return (grows && withWords(grows, text + more)?.blocks) ?? null;
}

function read(text: string): Block[] {
  return parseSegments(text, 0, NOTHING).flatMap((segment) => segment.blocks);
}

function blocks(reading: Reading): Block[] {
  return reading.chunks.flat().flatMap(({ segment }) => segment.blocks);
}

/** Ways to end in a word, or to seem to, inside everything that a sign may have opened. */
const ENDS_IN_A_WORD = [
  "some word", "# a heading", "- a list", "1. a list\n\n   with a paragraph", "> a quote\nthat is lazy", "- [x] a task",
  "| a | b |\n| - | - |\n| c | and d", "| a | b |\n| - | - |\n| c | d | too many e", "| a |\n| - |\nno pipe", "a **strong** word", "an **open word",
  "an `open word", "an [open word", "an [open](<address word", "an ![open word", "open <b word", "open <!-- word", "open $x word", "open \\(x word",
  "https://example.org a word", "a@b.org a word", "a  two blanks", "a\\\nb word", "a  \nb word", "<sub>a word", "a[^1] word", "text\n[a]: b word", "5 mg",
  "a word\n  in two", "*a* and b", "&amp; word", "&am word", "~~a word", "a \\* word",
  "a $x$ word", "[a]: b c", "[a]: b 'c d", "- a\n\n  [b]: c d",
];
const MUST_BE_READ = [
  "", "word", "ends. ", "a **", "a <b", "a www.b", "a [b", "a `b`", "a b.", "[a]: b", "[a]:\n b", "- a\n\n  [b]: c", "[^1]: a note", "```lang x", "```\na code",
  "    a code", "- 1", "<div a b", "$$\nx word", "a $x word$", "> a\n\n```\ncode word",
];

describe("words behind a word", () => {
  it.each(ENDS_IN_A_WORD)("give what reading again gives: %j", (text) => {
    for (const more of ["s", " and", "s and more, 5 % – 3 × 4 ", "     ", " ", "é漢字", ", a", ". B (c) d: e; f? - g! 'h' \"i\" j/k + l = m", " (", ") 'and", ".", "'", " -", " ="]) {
      const without = grown(text, more);
      if (without) expect(without, JSON.stringify(more)).toEqual(read(text + more));
    }
  });

  it("are put behind text, items, quotes, headings and cells without the parser", () => {
    const simple = ["some word", "# a heading", "- a list", "> a quote", "| a | b |\n| - | - |\n| c | and d", "a **strong** word", "an **open word"];
    expect(simple.filter((text) => grown(text, " and more") === null)).toEqual([]);
  });

  it.each(MUST_BE_READ)("are left to the parser behind %j", (text) => {
    expect(grown(text, " word")).toBeNull();
  });

  it.each(["an [open](link with", "an [open](link 'with", "[a]: b 'with", "[a]: b \"with", "[a]: b (with"])("are left to the parser where they could close %j", (text) => {
    expect(["'", '"', ")"].filter((closer) => grown(text, ` a title${closer}`) !== null)).toEqual([]);
  });

  it("are left to the parser with any sign or line among them", () => {
    const signs = ["www.", "//", ..."*_`[]<>&$\\~#|@\n\t\r\0\ufeff\u202e{}^"];
    expect(signs.filter((sign) => grown("some word", `a ${sign} b`) !== null)).toEqual([]);
  });
});

describe("a text that arrives", () => {
  it("keeps the paragraphs above the words that arrive", () => {
    const stream = new MarkdownStream();
    const before = blocks(stream.update("- one\n- two\n\n  more and", false))[0];
    const after = blocks(stream.update("- one\n- two\n\n  more and more", false))[0];
    if (before?.type !== "list" || after?.type !== "list") throw new Error("expected two lists");
    expect(after.items[0]).toBe(before.items[0]);
    expect(after.items[1]?.children[0]).toBe(before.items[1]?.children[0]);
    expect(after.items[1]?.children[1]).toEqual({ type: "paragraph", children: [{ type: "text", value: "more and more" }] });
  });
});
