/**
 * The tree that the renderer draws: what Markdown can mean here, and nothing else.
 *
 * It is smaller than mdast on purpose. References are already resolved, raw HTML is already text,
 * positions are gone and depth is bounded, so whatever draws this tree has no decision left that an
 * answer could influence. Two trees of equal content are equal by value, which is what lets the
 * stream keep the identity of everything that did not change.
 */

export type Align = "left" | "right" | "center" | null;

export type Inline =
  | { type: "text"; value: string }
  | { type: "strong" | "emphasis" | "delete" | "sub" | "sup"; children: Inline[] }
  | { type: "code"; value: string }
  | { type: "math"; value: string; display: boolean }
  | { type: "break" }
  | { type: "link"; url: string; children: Inline[] }
  | { type: "image"; url: string; alt: string }
  | { type: "noteRef"; id: string };

export type Item = { checked: boolean | null; children: Block[] };

export type Block =
  | { type: "paragraph"; children: Inline[] }
  | { type: "heading"; depth: number; children: Inline[] }
  | { type: "code"; lang: string; value: string; closed: boolean }
  | { type: "math"; open: string; value: string; closed: boolean }
  | { type: "quote"; children: Block[] }
  | { type: "list"; start: number | null; loose: boolean; items: Item[] }
  | { type: "table"; align: Align[]; rows: Inline[][][] }
  | { type: "rule" }
  /** Text shown exactly as written: raw HTML, and what lies beyond a limit. */
  | { type: "plain"; value: string };

/** The readable text of inline content: for names, CSV cells and alternative texts. */
export function plainText(nodes: readonly Inline[]): string {
  return nodes.map(plainTextOf).join("");
}

function plainTextOf(node: Inline): string {
  switch (node.type) {
    case "text":
    case "code":
    case "math":
      return node.value;
    case "break":
      return "\n";
    case "image":
      return node.alt;
    case "noteRef":
      return "";
    default:
      return plainText(node.children);
  }
}
