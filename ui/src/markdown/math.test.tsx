import { renderToStaticMarkup } from "react-dom/server";
import { beforeAll, describe, expect, it } from "vitest";
import { formula, loadFormulas } from "./formula";
import { MarkdownStream } from "./stream";
import type { Block, Inline } from "./tree";

function blocks(source: string): Block[] {
  return new MarkdownStream().update(source, true).chunks.flat().flatMap(({ segment }) => segment.blocks);
}

/** The formulas in a text, in order, with `display:` before those that stand alone. */
function formulas(source: string): string[] {
  const inline = (node: Inline): string[] =>
    node.type === "math" ? [`${node.display ? "display:" : ""}${node.value}`] : "children" in node ? node.children.flatMap(inline) : [];
  return blocks(source).flatMap((block) =>
    block.type === "math" && block.closed ? [`display:${block.value}`] : block.type === "paragraph" ? block.children.flatMap(inline) : [],
  );
}

describe("what is a formula", () => {
  it.each([
    ["$x$ and $a_1 + b$", ["x", "a_1 + b"]],
    ["$$x = 1$$ and \\(y\\) and \\[ z \\]", ["display:x = 1", "y", "display:z"]],
    ["$$\nx\n+ y\n$$", ["display:x\n+ y"]],
    ["\\[\nx\n\\]", ["display:x"]],
    ["\\[ a\n= b \\]", ["display:a\n= b"]],
    ["$5$ and $2x$", ["5", "2x"]],
    ["($x$), **$y$**", ["x", "y"]],
    ["$\\text{5 \\$}$", ["\\text{5 \\$}"]],
    ["**a**$x$", ["x"]],
  ])("%j", (source, expected) => expect(formulas(source)).toEqual(expected));

  it.each([
    "$5 and $10", "from $5 to $10.", "$5-$10", "it is $5 (US$)", "US$5 and A$6", "a $ b $ c", "\\$x\\$", "$x", "$$", "\\[1\\] and \\[draft\\]", "`$x$`", "5$ and 6$ more", "$x\n\ny$",
  ])("%j is not", (source) => expect(formulas(source)).toEqual([]));

  it("a stray $$ never swallows more than its paragraph", () => {
    expect(blocks("$$\nx\n\n# After").map((block) => block.type)).toEqual(["math", "heading"]);
  });
});

describe("drawn formulas", () => {
  beforeAll(loadFormulas);
  const markup = (tex: string) => {
    const drawn = formula(tex, true);
    return drawn?.ok ? renderToStaticMarkup(<>{drawn.node}</>) : null;
  };

  it.each(["\\frac{a}{b}", "\\sqrt[3]{x}", "\\ce{H2O + CO2 <=> H2CO3}", "\\left(\\begin{matrix}a&b\\\\c&d\\end{matrix}\\right)", "\\overbrace{abc}^{n}", "37\\,°C", "\\cancel{x}", "\\vec{v} \\hat{x} \\widehat{abc}", "\\phase{-78^\\circ}", "\\tag{1} x", "α ≤ β"])(
    "%s equals KaTeX's own markup",
    async (tex) => {
      const katex = (await import("katex")).default;
      const own = katex.renderToString(tex, { displayMode: true, strict: "ignore", maxSize: 20 });
      expect(normalise(markup(tex) ?? "")).toBe(normalise(own));
    },
  );

  it("a command that trust forbids is only its name", () => {
    expect(markup("\\href{https://x.org}{x}")).not.toMatch(/<a[\s>]|href=/);
  });

  it.each(["\\frac{a", "\\nosuch", "{".repeat(20_000), "\\def\\a{\\a\\a}\\a", `x${"+x".repeat(5_000)}`])("%# is shown as source", (tex) =>
    expect(formula(tex, false)).toEqual({ ok: false }),
  );
});

/** Both writers order attributes and write styles in their own way; the boxes must be the same. */
function normalise(html: string): string {
  return html
    .replace(/&#x27;/g, "'")
    .replaceAll(' xmlns="http://www.w3.org/2000/svg"', "") // an HTML page gives svg its namespace
    .replace(/<(\w+)((?:\s[\w:-]+="[^"]*")*)\s*\/?>/g, (_all, tag: string, attributes: string) => {
      const sorted = (attributes.match(/[\w:-]+="[^"]*"/g) ?? []).map((one) => one.replace(/;"$/, '"').replace(/ "$/, '"')).sort();
      return `<${[tag, ...sorted].join(" ")}>`;
    })
    .replace(/<\/(?:path|line|mspace)>/g, "");
}
