/**
 * mdast → our tree: references resolved, raw HTML made text, depth bounded.
 *
 * `<br>`, `<sub>` and `<sup>` without attributes are read as notation, because models write C<sub>max</sub>
 * and line breaks in table cells that way; they become elements of ours. Every other tag stays text.
 */
import type { Definition, Nodes, Parents, PhrasingContent, RootContent, Table } from "mdast";
import { toString } from "mdast-util-to-string";
import { normalizeIdentifier } from "micromark-util-normalize-identifier";
import { BLOCK_DEPTH, INLINE_DEPTH } from "./limits";
import type { Segment } from "./parse";
import type { Block, Inline, Item } from "./tree";

/** Names that are defined outside the text at hand. */
export type Defined = {
  links: ReadonlyMap<string, string>;
  notes: ReadonlySet<string>;
};

type Content = Omit<Segment, "start" | "end">;

export class Lowering {
  private readonly links: Map<string, string>;
  private definitions = new Map<string, string>();
  private notes = new Map<string, Block[]>();
  private refs: string[] = [];

  /** `nodes` may define names too; the first definition of a name wins, as CommonMark says. */
  constructor(
    private readonly text: string,
    defined: Defined,
    nodes: readonly RootContent[],
  ) {
    this.links = new Map(defined.links);
    for (const node of nodes) collect(node, this.links);
  }

  segment(nodes: readonly RootContent[]): Content {
    this.definitions = new Map();
    this.notes = new Map();
    this.refs = [];
    const blocks = this.blocks(nodes, 0);
    return { blocks, definitions: this.definitions, notes: this.notes, refs: this.refs };
  }

  private blocks(nodes: readonly RootContent[], depth: number): Block[] {
    return nodes.flatMap((node) => this.block(node, depth) ?? []);
  }

  private block(node: RootContent, depth: number): Block | null {
    if (depth > BLOCK_DEPTH) return this.asWritten(node);
    switch (node.type) {
      case "paragraph":
        return { type: "paragraph", children: this.inlines(node.children, 0) };
      case "heading":
        return { type: "heading", depth: node.depth, children: this.inlines(node.children, 0) };
      case "code":
        return { type: "code", lang: node.lang ?? "", value: node.value, closed: fenceCloses(this.text, node) };
      case "math":
        return { type: "math", open: node.open, value: node.value, closed: node.fences > 1 };
      case "blockquote":
        return { type: "quote", children: this.blocks(node.children, depth + 1) };
      case "list":
        return {
          type: "list",
          start: node.ordered ? (node.start ?? 1) : null,
          loose: Boolean(node.spread) || node.children.some((item) => item.spread),
          items: node.children.map((item): Item => ({
            checked: item.checked ?? null,
            children: this.blocks(item.children, depth + 1),
          })),
        };
      case "table":
        return this.table(node);
      case "thematicBreak":
        return { type: "rule" };
      case "html":
        return { type: "plain", value: node.value };
      case "definition":
        return this.define(node);
      case "footnoteDefinition":
        return this.note(nameOf(node.identifier), () => this.blocks(node.children, depth + 1));
      default:
        return this.asWritten(node);
    }
  }

  private table(node: Table): Block {
    const rows = node.children.map((row) => row.children.map((cell) => this.inlines(cell.children, 0)));
    return { type: "table", align: (node.align ?? []).map((side) => side ?? null), rows };
  }

  private define(node: Definition): null {
    const name = nameOf(node.identifier);
    if (!this.definitions.has(name)) this.definitions.set(name, node.url);
    return null;
  }

  private note(name: string, body: () => Block[]): null {
    const outer = this.refs;
    this.refs = []; // a note's own references are numbered when the note is listed
    const blocks = body();
    this.refs = outer;
    if (!this.notes.has(name)) this.notes.set(name, blocks);
    return null;
  }

  private inlines(nodes: readonly PhrasingContent[], depth: number): Inline[] {
    const out: Inline[] = [];
    for (let index = 0; index < nodes.length; index += 1) {
      const node = nodes[index];
      if (!node) continue;
      const close = node.type === "html" ? closingTag(nodes, index) : -1;
      if (close > index && depth < INLINE_DEPTH) {
        const children = this.inlines(nodes.slice(index + 1, close), depth + 1);
        out.push({ type: tagName(node) === "sub" ? "sub" : "sup", children });
        index = close;
      } else append(out, this.inline(node, depth));
    }
    return out;
  }

  private inline(node: PhrasingContent, depth: number): Inline {
    if (depth > INLINE_DEPTH) return { type: "text", value: this.source(node) };
    switch (node.type) {
      case "text":
        return { type: "text", value: node.value };
      case "strong":
      case "emphasis":
      case "delete":
        return { type: node.type, children: this.inlines(node.children, depth + 1) };
      case "inlineCode":
        return { type: "code", value: node.value };
      case "inlineMath":
        return { type: "math", value: node.value, display: node.display };
      case "break":
        return { type: "break" };
      case "html":
        return tagName(node) === "br" ? { type: "break" } : { type: "text", value: node.value };
      case "link":
        return { type: "link", url: node.url, children: this.inlines(node.children, depth + 1) };
      case "linkReference":
        return this.link(node.identifier, node, () => this.inlines(node.children, depth + 1));
      case "image":
        return { type: "image", url: node.url, alt: node.alt ?? "" };
      case "imageReference":
        return { type: "image", url: this.links.get(nameOf(node.identifier)) ?? "", alt: node.alt ?? "" };
      case "footnoteReference": {
        const id = nameOf(node.identifier);
        this.refs.push(id);
        return { type: "noteRef", id };
      }
      default:
        return { type: "text", value: this.source(node) };
    }
  }

  private link(identifier: string, node: Nodes, children: () => Inline[]): Inline {
    const url = this.links.get(nameOf(identifier));
    if (url === undefined) return { type: "text", value: this.source(node) };
    return { type: "link", url, children: children() };
  }

  private asWritten(node: Nodes): Block {
    return { type: "plain", value: this.source(node) };
  }

  private source(node: Nodes): string {
    const start = node.position?.start.offset;
    const end = node.position?.end.offset;
    return start === undefined || end === undefined ? toString(node) : this.text.slice(start, end);
  }
}

/** Joins neighbouring texts, which resolving leaves behind, so that equal content makes equal trees. */
function append(out: Inline[], node: Inline): void {
  const last = out[out.length - 1];
  if (node.type === "text" && last?.type === "text") out[out.length - 1] = { type: "text", value: last.value + node.value };
  else out.push(node);
}

function tagName(node: PhrasingContent): string | null {
  return node.type === "html" ? (/^<(br|sub|sup)[ ]?\/?>$/i.exec(node.value)?.[1]?.toLowerCase() ?? null) : null;
}

/** Where the `<sub>` or `<sup>` at `index` is closed among its siblings, or -1. */
function closingTag(nodes: readonly PhrasingContent[], index: number): number {
  const open = nodes[index];
  const name = open ? tagName(open) : null;
  if (name !== "sub" && name !== "sup") return -1;
  return nodes.findIndex(
    (node, at) => at > index && node.type === "html" && node.value.toLowerCase() === `</${name}>`,
  );
}

/** Collects the definitions under `node` in document order, without recursion. */
function collect(node: RootContent, links: Map<string, string>): void {
  const waiting: Nodes[] = [node];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (next.type === "definition") {
      const name = nameOf(next.identifier);
      if (!links.has(name)) links.set(name, next.url);
    } else if (isContainer(next)) waiting.push(...next.children.toReversed());
  }
}

function isContainer(node: Nodes): node is Parents {
  return ["blockquote", "list", "listItem", "footnoteDefinition"].includes(node.type);
}

/** Whether a code block is fenced and its closing fence has come. */
export function fenceCloses(text: string, node: RootContent): boolean {
  const start = node.position?.start.offset ?? 0;
  const end = node.position?.end.offset ?? 0;
  const opener = /^(`{3,}|~{3,})/.exec(text.slice(start, start + 80))?.[1];
  const last = text.lastIndexOf("\n", end - 1);
  if (opener === undefined || last < start) return false;
  const fence = /(?:^|[\s>])(`{3,}|~{3,})[ \t]*\r?$/.exec(text.slice(last + 1, end))?.[1];
  return fence !== undefined && fence[0] === opener[0] && fence.length >= opener.length;
}

/** The name as micromark compares it. */
export function nameOf(identifier: string): string {
  return normalizeIdentifier(identifier);
}
