import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const css = readFileSync(join(import.meta.dirname, "markdown.css"), "utf8");

/** `--name: light-dark(oklch(…), oklch(…))` as two colours. */
function both(name: string): [number[], number[]] {
  const found = new RegExp(`${name}: light-dark\\(oklch\\(([^)]+)\\), oklch\\(([^)]+)\\)\\)`).exec(css);
  if (!found) throw new Error(`${name} is not in markdown.css`);
  return [(found[1] ?? "").split(" ").map(Number), (found[2] ?? "").split(" ").map(Number)];
}

/** Relative luminance (WCAG 2) of an oklch colour, through Oklab and linear sRGB (Ottosson 2020). */
function luminance([lightness = 0, chroma = 0, hue = 0]: number[]): number {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clamp = (value: number) => Math.min(1, Math.max(0, value));
  const red = clamp(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = clamp(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = clamp(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: number[], other: number[]): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

describe("code can be read in both themes", () => {
  const [lightGround, darkGround] = both("--md-code-bg");
  it.each(["keyword", "string", "number", "title", "type", "comment", "removed"])("%s has 4.5:1 or more", (name) => {
    const [light, dark] = both(`--md-${name}`);
    expect(contrast(light, lightGround)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(dark, darkGround)).toBeGreaterThanOrEqual(4.5);
  });
});
