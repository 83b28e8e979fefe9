/**
 * Markdown text → mdast → segments of our own tree.
 *
 * A segment is the smallest stretch of top-level text that means the same whether it is read alone
 * or inside the whole, given the names defined elsewhere. It ends where a blank line, or a block that
 * nothing can continue, precedes the next block, and where the next block's first line is complete or
 * cannot matter to it.
 */
import type { Root, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import type { Construct, Extension, ParseContext } from "micromark-util-types";
import { boundContainers, limits } from "./limits";
import { type Defined, fenceCloses, Lowering } from "./lower";
import { mathFromMarkdown, mathSyntax } from "./math-syntax";
import type { Block } from "./tree";

export type Segment = {
  /** Where the segment starts in the source, and where the next one does. */
  start: number;
  end: number;
  blocks: Block[];
  /** Link targets and footnotes that the segment defines, by normalised name. */
  definitions: ReadonlyMap<string, string>;
  notes: ReadonlyMap<string, Block[]>;
  /** The footnotes that the segment refers to, in order, with repeats. */
  refs: readonly string[];
};

/** A single tilde means "about" in an answer ("~5 mg to ~10 mg"), so only two strike text out. */
const SYNTAX: Extension[] = [gfm({ singleTilde: false }), mathSyntax(), limits()];
const TO_MDAST = [...gfmFromMarkdown(), mathFromMarkdown()];

/** Reads `text` as if the names in `defined` were defined outside it. */
export function parseMdast(text: string, defined: Defined): Root {
  const extensions = [...SYNTAX, prepare(defined)];
  return fromMarkdown(text, { extensions, mdastExtensions: TO_MDAST });
}

/** Reads `text`, which starts at `offset` in the source, into segments. */
export function parseSegments(text: string, offset: number, defined: Defined): Segment[] {
  const nodes = parseMdast(text, defined).children;
  const lowering = new Lowering(text, defined, nodes);
  return split(text, nodes).map((group) => {
    const { start, end, members } = group;
    return { start: offset + start, end: offset + end, ...lowering.segment(members) };
  });
}

type Group = { start: number; end: number; members: RootContent[] };

function split(text: string, nodes: RootContent[]): Group[] {
  const groups: Group[] = [];
  const lastLine = text.lastIndexOf("\n") + 1;
  nodes.forEach((node, index) => {
    const before = nodes[index - 1];
    const current = groups[groups.length - 1];
    const at = lineStart(text, node);
    if (!current) groups.push({ start: 0, end: text.length, members: [node] });
    else if (before && (at < lastLine || endsAtBlank(text, before)) && parts(text, before, node, at)) {
      current.end = at;
      groups.push({ start: at, end: text.length, members: [node] });
    } else current.members.push(node);
  });
  return groups;
}

/** Whether nothing that follows can change `before`, nor `before` how `node` is read. */
function parts(text: string, before: RootContent, node: RootContent, at: number): boolean {
  if (text.charCodeAt(at) === 0xfeff) return false; // at the start of a text it would be dropped
  const end = before.position?.end.offset;
  const start = node.position?.start.offset;
  if (end === undefined || start === undefined || at < end) return false;
  if (lingers(text, before) || isIndentedCode(text, node)) return false;
  return closesItself(text, before) || /\n[ \t]*\r?\n/.test(text.slice(end, start));
}

/**
 * Whether a blank line ends it, however the next line goes on: a list, a note or HTML may resume behind
 * one. So an answer's last line is read alone while it grows, and not with the block above it.
 */
function endsAtBlank(text: string, node: RootContent): boolean {
  return closesItself(text, node) || ["paragraph", "table", "math"].includes(node.type);
}

function closesItself(text: string, node: RootContent): boolean {
  if (node.type === "heading" || node.type === "thematicBreak") return true;
  return node.type === "code" && fenceCloses(text, node);
}

function isIndentedCode(text: string, node: RootContent): boolean {
  const start = node.position?.start.offset ?? 0;
  return node.type === "code" && !/[`~]/.test(text.charAt(start));
}

/**
 * Whether `before` ends in code, HTML or a formula that its container cut off.
 *
 * micromark then still treats the next line as an interruption, where a list may not start with 3.
 * For the same reason indented code never starts a segment.
 */
function lingers(text: string, before: RootContent): boolean {
  const leaf = lastLeaf(before);
  if (leaf.type === "code") return !fenceCloses(text, leaf);
  return leaf !== before && (leaf.type === "html" || leaf.type === "math");
}

function lastLeaf(node: RootContent): RootContent {
  let leaf = node;
  while ("children" in leaf) {
    const last: RootContent | undefined = leaf.children[leaf.children.length - 1];
    if (!last) break;
    leaf = last;
  }
  return leaf;
}

function lineStart(text: string, node: RootContent): number {
  const start = node.position?.start.offset ?? 0;
  return start === 0 ? 0 : text.lastIndexOf("\n", start - 1) + 1;
}

const prepared = new WeakSet<ParseContext>();

/** A construct that never matches: it runs first, and readies the parser before it reads a marker. */
function prepare(defined: Defined): Extension {
  const construct: Construct = {
    name: "prepare",
    tokenize(_effects, _ok, nok) {
      if (!prepared.has(this.parser)) ready(this.parser, defined);
      return nok;
    },
  };
  const codes = [33, 42, 43, 45, 62, 91]; // where containers open; the digits follow
  for (let digit = 48; digit < 58; digit += 1) codes.push(digit);
  const document: Record<string, Construct> = { null: construct };
  for (const code of codes) document[code] = construct;
  return { document };
}

function ready(parser: ParseContext, defined: Defined): void {
  prepared.add(parser);
  boundContainers(parser);
  parser.defined.push(...defined.links.keys());
  const notes = (parser.gfmFootnotes ??= []);
  notes.push(...defined.notes);
}
