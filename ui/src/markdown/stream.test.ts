import { describe, expect, it } from "vitest";
import { CORPUS } from "./corpus.fixture";
import { Lowering } from "./lower";
import { parseMdast } from "./parse";
import { MarkdownStream, type Reading } from "./stream";
import type { Block } from "./tree";

const NOTHING = { links: new Map<string, string>(), notes: new Set<string>() };

/** The reference: one parse of the whole text, without segments and without fences read by hand. */
function whole(source: string) {
  const text = source.replace(/^\ufeff/, "");
  const nodes = parseMdast(text, NOTHING).children;
  return new Lowering(text, NOTHING, nodes).segment(nodes);
}

function blocks(reading: Reading): Block[] {
  return reading.chunks.flat().flatMap(({ segment }) => segment.blocks);
}

/** Feeds the text in pieces that end at `cuts`. */
function streamed(text: string, cuts: readonly number[], stream = new MarkdownStream()): Reading {
  for (const cut of cuts) stream.update(text.slice(0, cut), false);
  return stream.update(text, true);
}

/** mulberry32: small, and the same everywhere for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function randomText(next: () => number): string {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
  const parts: string[] = [];
  for (let count = 1 + Math.floor(next() * 5); count > 0; count -= 1) {
    const text = pick(CORPUS);
    const lines = text.split(/(?<=\n)/);
    const from = Math.floor(next() * lines.length);
    parts.push(lines.slice(from, from + 1 + Math.floor(next() * 8)).join(""));
    parts.push(pick(["", "\n", "\n\n", "  ", "\n  ", "\n    "]));
  }
  return parts.join("");
}

function randomCuts(next: () => number, length: number): number[] {
  const step = 1 + Math.floor(next() * 12);
  const cuts: number[] = [];
  for (let at = 0; at < length; at += 1 + Math.floor(next() * step)) cuts.push(at);
  return cuts;
}

describe("a streamed text", () => {
  it.each(CORPUS.map((text) => [JSON.stringify(text.slice(0, 40)), text]))(
    "read letter by letter equals the whole: %s",
    (_name, text) => {
      const cuts = Array.from({ length: text.length }, (_, index) => index);
      expect(blocks(streamed(text, cuts))).toEqual(whole(text).blocks);
    },
  );

  it("cut anywhere equals the whole, for random texts", () => {
    const seed = Number(process.env.MARKDOWN_SEED ?? Date.now() % 1e9);
    const rounds = Number(process.env.MARKDOWN_ROUNDS ?? 60);
    const next = random(seed);
    for (let round = 0; round < rounds; round += 1) {
      const text = randomText(next);
      const cuts = randomCuts(next, text.length);
      const replay = `replay: MARKDOWN_SEED=${seed}; round ${round}; ${JSON.stringify({ text, cuts })}`;
      expect(blocks(streamed(text, cuts)), replay).toEqual(whole(text).blocks);
    }
  }, 60_000);

  it("is shown at every moment as if it had been read at once", () => {
    const seed = Number(process.env.MARKDOWN_SEED ?? Date.now() % 1e9);
    const next = random(seed);
    const texts = [...CORPUS, ...Array.from({ length: Number(process.env.MARKDOWN_ROUNDS ?? 20) }, () => randomText(next))];
    for (const text of texts) {
      const stream = new MarkdownStream();
      for (const cut of randomCuts(next, text.length)) {
        const prefix = text.slice(0, cut);
        const replay = `replay: MARKDOWN_SEED=${seed}; ${JSON.stringify(prefix)}`;
        expect(blocks(stream.update(prefix, false)), replay).toEqual(blocks(new MarkdownStream().update(prefix, false)));
      }
    }
  }, 60_000);

  it("reads the same in one piece as in many when segments are bounded", () => {
    const seed = Number(process.env.MARKDOWN_SEED ?? Date.now() % 1e9);
    const next = random(seed);
    for (let round = 0; round < 20; round += 1) {
      const text = randomText(next);
      const many = streamed(text, Array.from({ length: text.length }, (_, at) => at), new MarkdownStream(60));
      const one = new MarkdownStream(60).update(text, true);
      expect(blocks(many), `replay: MARKDOWN_SEED=${seed}; ${JSON.stringify(text)}`).toEqual(blocks(one));
    }
  }, 60_000);

  it("keeps the identity of every settled chunk and block while the tail grows", () => {
    const text = Array.from({ length: 80 }, (_, index) => `Paragraph ${index} is **settled**.\n\n`).join("");
    const stream = new MarkdownStream();
    const before = stream.update(text, false);
    const after = stream.update(`${text}And more`, false);
    expect(before.chunks.length).toBeGreaterThan(2);
    expect(after.chunks[0]).toBe(before.chunks[0]);
    expect(after.chunks[1]).toBe(before.chunks[1]);
  });

  it("tells every settled chunk of a link and of a note that come at the end", () => {
    const text = Array.from({ length: 80 }, (_, index) => `Paragraph ${index} has [a link] and a note[^n].\n\n`).join("");
    const stream = new MarkdownStream();
    for (let end = 0; end < text.length; end += 500) stream.update(text.slice(0, end), false);
    const { chunks, notes } = stream.update(`${text}[a link]: https://example.org\n\n[^n]: The note.\n\nEnd\n`, false);
    const mentions = chunks.flat().filter(({ segment }) => JSON.stringify(segment.blocks).includes('"link"'));
    expect(mentions.length).toBe(80);
    expect(mentions.map(({ numbers }) => numbers)).toEqual(mentions.map(() => ({ N: 1 })));
    expect(notes.map(({ number }) => number)).toEqual([1]);
  });

  it("keeps unchanged items of a list that still grows", () => {
    const stream = new MarkdownStream();
    const before = blocks(stream.update("- one\n- two\n- thr", false))[0];
    const after = blocks(stream.update("- one\n- two\n- three", false))[0];
    if (before?.type !== "list" || after?.type !== "list") throw new Error("expected two lists");
    expect(after.items[0]).toBe(before.items[0]);
    expect(after.items[2]).not.toBe(before.items[2]);
  });

  it("starts again when the text is replaced, and when a finished one is continued", () => {
    const stream = new MarkdownStream();
    stream.update("# One\n\ntwo", true);
    expect(blocks(stream.update("other", false))).toEqual(whole("other").blocks);
    stream.update("- a", true);
    expect(blocks(stream.update("- a\n- b", true))).toEqual(whole("- a\n- b").blocks);
  });
});
