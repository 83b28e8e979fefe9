/**
 * Measures the renderer where it runs: in the real web view, called by the app's own bench.
 *
 * Each update appends a piece of an answer and is timed from the new text to a finished layout.
 */
import { createElement } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { Markdown } from "./Markdown";

export type BenchResult = { updates: number; chars: number; mean_ms: number; p50_ms: number; p95_ms: number; max_ms: number };

const PARAGRAPH =
  "Propranolol is absorbed **almost completely**, but the liver removes most of it: the oral availability is 26 ± 10 % " +
  "of a dose of 40 mg, see [the label](https://example.org/label) and `CYP2D6`. The range *widens* in cirrhosis.\n\n";
const SECTION = [
  "## Clearance and extraction\n\n",
  PARAGRAPH,
  "- hepatic extraction 0.6–0.8, **high**\n- flow limited, about 1.5 L/min\n- half-life 3–6 h\n\n",
  PARAGRAPH,
  "| Drug | E | Oral F |\n| --- | --- | --- |\n| Propranolol | 0.7 | 26 % |\n| Atenolol | <0.1 | 50 % |\n| Metoprolol | 0.5 | 40 % |\n\n",
  "The product is $F = f_a \\cdot f_g \\cdot (1 - E_H)$ and so\n\n$$\nCL_H = \\frac{Q \\cdot f_u \\cdot CL_{int}}{Q + f_u \\cdot CL_{int}}\n$$\n\n",
  PARAGRAPH,
  "```python\ndef clearance(q, fu, clint):\n    return q * fu * clint / (q + fu * clint)\n```\n\n",
  "1. First, *measure* 5 mg.\n2. Then wait 2 h.\n3. Compare with [the label](https://example.org).\n\n",
].join("");

/** An answer of about `chars` characters, with everything that answers are made of. */
export function sampleAnswer(chars: number): string {
  return SECTION.repeat(Math.ceil(chars / SECTION.length)).slice(0, chars);
}

/** Streams an answer that already has `chars` characters for another `updates` updates of `step` characters. */
export async function benchMarkdown(container: HTMLElement, chars: number, updates = 200, step = 12): Promise<BenchResult> {
  const root = createRoot(container);
  const text = sampleAnswer(chars + updates * step);
  const show = (source: string) => flushSync(() => root.render(createElement(Markdown, { source, streaming: true })));
  show(text.slice(0, chars));
  await settle();
  const times: number[] = [];
  for (let update = 1; update <= updates; update += 1) {
    const source = text.slice(0, chars + update * step);
    const start = performance.now();
    show(source);
    container.getBoundingClientRect(); // the layout belongs to the update
    times.push(performance.now() - start);
    await frame();
  }
  root.unmount();
  return { updates, chars, ...quantiles(times) };
}

/** Waits until formulas and colours, which come later on purpose, are drawn. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_500));
}

/** As in life, where tokens come batched per frame; back to back, a view that rests would flatter itself. */
function frame(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 16));
}

function quantiles(times: number[]): Omit<BenchResult, "updates" | "chars"> {
  const sorted = [...times].sort((a, b) => a - b);
  const round = (ms: number) => Math.round(ms * 100) / 100;
  const at = (share: number) => round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return { mean_ms: round(times.reduce((sum, ms) => sum + ms, 0) / times.length), p50_ms: at(0.5), p95_ms: at(0.95), max_ms: at(1) };
}
