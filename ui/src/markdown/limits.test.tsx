import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { Markdown } from "./Markdown";

/** Each would nest ten thousand deep, or cost the square of its length. */
const BOMBS: Readonly<Record<string, string>> = {
  quotes: `${">".repeat(10_000)} a`,
  "spaced quotes": `${"> ".repeat(10_000)}a`,
  bullets: `${"- ".repeat(10_000)}a`,
  numbers: `${"1. ".repeat(10_000)}a`,
  "quotes and bullets": `${"> - ".repeat(5_000)}a`,
  "notes in notes": `${"[^a]: ".repeat(3_000)}x`,
  "indented list": Array.from({ length: 250 }, (_, depth) => `${"  ".repeat(depth)}- a`).join("\n"),
  emphasis: `${"*a ".repeat(10_000)}${"b*".repeat(10_000)}`,
  stars: `${"*".repeat(10_000)}a${"*".repeat(10_000)}`,
  "short runs": `${"***a ".repeat(5_000)}${"b*** ".repeat(5_000)}`,
  brackets: "[".repeat(20_000),
  "open links": "[a](".repeat(8_000),
  "nested pictures": `${"![".repeat(10_000)}a${"](x)".repeat(10_000)}`,
  backticks: Array.from({ length: 200 }, (_, length) => "`".repeat(length)).join(" a "),
  comments: "<!-- ".repeat(10_000),
  tags: "<a ".repeat(20_000),
  dollars: "$a ".repeat(20_000),
  "open formulas": "\\(a ".repeat(15_000),
  "a line of a million letters": "a".repeat(1_000_000),
  entities: "&".repeat(40_000),
  cells: `|${"a|".repeat(5_000)}\n|${"-|".repeat(5_000)}\n`,
  nul: "\0".repeat(50_000),
};

describe("a bomb neither overflows the stack nor freezes", () => {
  it.each(Object.entries(BOMBS))("%s", (_name, source) => {
    const start = performance.now();
    const markup = renderToStaticMarkup(<Markdown source={source} streaming={false} />);
    const took = performance.now() - start;
    expect(markup.length).toBeGreaterThan(0);
    // Ordinary text of this size takes a tenth; without the bounds most of these take minutes or throw.
    expect(took).toBeLessThan(10_000);
  }, 30_000);

  it("what lies beyond the depth is still there to read", () => {
    expect(renderToStaticMarkup(<Markdown source={`${"> ".repeat(90)}the end`} streaming={false} />)).toContain("the end");
    expect(renderToStaticMarkup(<Markdown source={`${"*a ".repeat(400)}the end`} streaming={false} />)).toContain("the end");
  });
});
