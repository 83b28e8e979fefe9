/**
 * The incremental parse: what is settled is frozen, only the tail is read again.
 *
 * `update` takes the whole text so far. Segments that nothing later can change are kept, with their
 * identity, so that a view can skip them; the rest is parsed again. Names are the one thing that
 * reaches back: when a link target or a footnote settles, the settled segments that mention it are
 * read once more. After the last update the result equals that of reading the whole text at once,
 * wherever the text was cut on its way (stream.test.ts holds it to that).
 */
import { FenceReader } from "./fence";
import { SEGMENT_CHARS } from "./limits";
import type { Defined } from "./lower";
import { type Numbered, numberNotes, type Note } from "./notes-order";
import { parseSegments, type Segment } from "./parse";
import { share } from "./share";
import { type Grows, mayGrow, withWords } from "./words";

/**
 * What is drawn: segments in chunks, each with the identity it had before unless a member changed.
 *
 * Only the very last segment can still change, so until the text is done only the last chunk does.
 */
export type Reading = {
  chunks: readonly (readonly Numbered[])[];
  notes: readonly Note[];
};

/** Some rules of CommonMark cost the square of the text at hand, so long texts are read a look at a time. */
const FIRST_LOOK = 4_000;
/** Segments in one chunk: enough that a long answer is a short list, few enough that one redraws fast. */
const CHUNK = 24;

export class MarkdownStream {
  private source = "";
  private settled: Segment[] = [];
  private tail: Segment[] = [];
  private tailStart = 0;
  private links = new Map<string, string>();
  private noteNames = new Set<string>();
  private fence = new FenceReader();
  /** How many chunks, and segments in them, only a name that settles can change. */
  private firm = { chunks: 0, segments: 0 };
  private noted = false;
  /** The tail as it was read, where words may be put behind it. */
  private grows: Grows | null = null;
  private finished = false;
  private reading: Reading = { chunks: [], notes: [] };

  /** `segmentChars` bounds one segment; tests lower it. */
  constructor(private readonly segmentChars = SEGMENT_CHARS) {}

  /** Reads the text so far. `done` says that no more will come. */
  update(text: string, done: boolean): Reading {
    const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    const grows = !this.finished && source.startsWith(this.source);
    if (!grows && source !== this.source) this.restart();
    this.source = source;
    // What ends is read, so that nothing that stays rests on what was put behind it.
    if (!this.finished && (done || !this.grow())) this.advance();
    if (done && !this.finished) this.finish();
    this.reading = this.number();
    return this.reading;
  }

  private restart(): void {
    this.settled = [];
    this.tail = [];
    this.tailStart = 0;
    this.links = new Map();
    this.noteNames = new Set();
    this.fence = new FenceReader();
    this.grows = null;
    this.noted = false;
    this.loosen();
    this.finished = false;
  }

  private loosen(): void {
    this.firm = { chunks: 0, segments: 0 };
  }

  /** Puts what has come behind the tail, where that is words; whether it could. */
  private grow(): boolean {
    if (!this.grows || this.source.length - this.tailStart > this.segmentChars) return false;
    const grown = withWords(this.grows, this.source);
    if (grown) this.tail = [grown];
    return grown !== null;
  }

  private advance(): void {
    this.grows = null;
    while (this.tailStart < this.source.length) {
      const segments = this.readTail();
      const last = segments.pop();
      this.settle(segments, last);
      if (!last) return void (this.tail = []); // nothing but blanks
      if (last.start > this.tailStart) this.tailStart = last.start;
      if (last.end < this.source.length) {
        if (segments.length === 0) return this.show(this.rest());
        continue; // the window was cut short: read on from the last boundary in it
      }
      return this.show(last);
    }
    this.tail = [];
  }

  /** The segments from the tail's start to the end, or to the end of what one look may cover. */
  private readTail(): Segment[] {
    const fence = this.fence.read(this.source, this.tailStart);
    if (fence) return this.fenced(fence.block, fence.end);
    for (let chars = Math.min(FIRST_LOOK, this.segmentChars); ; chars *= 4) {
      const most = Math.min(chars, this.segmentChars);
      const window = this.source.slice(this.tailStart, this.tailStart + most);
      const segments = parseSegments(window, this.tailStart, this.defined());
      const enough = segments.length > 1 || this.tailStart + most >= this.source.length;
      if (enough || most === this.segmentChars) return segments;
    }
  }

  /** A fence that has closed is followed by a segment of its own, so that it settles at once. */
  private fenced(block: Segment["blocks"][number], end: number): Segment[] {
    const code = segment(this.tailStart, end, [block]);
    const closed = block.type === "code" && block.closed && this.source.charAt(end - 1) === "\n";
    if (!closed) return [code];
    const rest = this.source.slice(end, end + this.segmentChars);
    if (rest === "") return [code];
    return [code, segment(end, end, [])];
  }

  /** A stretch without any boundary is too long to be read: it is shown as written. */
  private rest(): Segment {
    const value = this.source.slice(this.tailStart);
    return segment(this.tailStart, this.source.length, [{ type: "plain", value }]);
  }

  private show(tail: Segment): void {
    const before = this.tail[0];
    const shown = before && before.start === tail.start ? share(before, tail) : tail;
    this.tail = [shown];
    this.grows = mayGrow(shown, this.source);
  }

  private settle(segments: Segment[], rest: Segment | undefined): void {
    if (segments.length === 0) return;
    const first = this.settled.length;
    const fresh = new Set<string>();
    for (const segment of segments) this.adopt(segment, fresh);
    // What was read together with names that are still open must not rely on them.
    const open = rest && (rest.definitions.size > 0 || rest.notes.size > 0);
    if (open) this.reread(first, null);
    if (fresh.size > 0) this.reread(0, fresh);
  }

  private adopt(segment: Segment, fresh: Set<string>): void {
    this.settled.push(segment);
    if (hasNotes(segment)) this.noted = true;
    for (const [name, url] of segment.definitions) {
      if (this.links.has(name)) continue;
      this.links.set(name, url);
      fresh.add(`[${squash(name)}]`);
    }
    for (const name of segment.notes.keys()) {
      if (this.noteNames.has(name)) continue;
      this.noteNames.add(name);
      fresh.add(`[^${squash(name)}]`);
    }
  }

  /** Reads settled segments again, from the `first` on, if they mention one of the `names`. */
  private reread(first: number, names: ReadonlySet<string> | null): void {
    for (let index = first; index < this.settled.length; index += 1) {
      const old = this.settled[index];
      if (!old) continue;
      const text = this.source.slice(old.start, old.end);
      if (!text.includes("[") || (names && !mentions(text, names))) continue;
      const [again] = parseSegments(text, old.start, this.defined());
      if (!again) continue;
      const kept = share(old, { ...again, end: old.end });
      this.settled[index] = kept;
      if (hasNotes(kept)) this.noted = true;
      if (kept !== old) this.loosen();
    }
  }

  private finish(): void {
    const last = this.tail;
    this.finished = true;
    this.tail = [];
    this.tailStart = this.source.length;
    this.settle(last, undefined);
  }

  private defined(): Defined {
    return { links: this.links, notes: this.noteNames };
  }

  private number(): Reading {
    // A note's number depends on all that refers to notes before it.
    if (this.noted || this.tail.some(hasNotes)) this.loosen();
    const { firm, reading } = this;
    const { segments, notes } = numberNotes([...this.settled.slice(firm.segments), ...this.tail]);
    const fresh = chunks(segments, reading.chunks.slice(firm.chunks));
    const all = [...reading.chunks.slice(0, firm.chunks), ...fresh];
    for (const chunk of fresh) {
      // The last one may still take in what comes next.
      if (firm.segments + chunk.length >= this.settled.length) break;
      firm.segments += chunk.length;
      firm.chunks += 1;
    }
    return { chunks: all, notes };
  }
}

function hasNotes(segment: Segment): boolean {
  return segment.refs.length > 0 || segment.notes.size > 0;
}

function segment(start: number, end: number, blocks: Segment["blocks"]): Segment {
  return { start, end, blocks, definitions: new Map(), notes: new Map(), refs: [] };
}

/** A name without the blanks and quote marks that a line break inside a label may bring along. */
function squash(text: string): string {
  return text.replace(/[\s>]/g, "").replace(/\0/g, "\ufffd").toLowerCase().toUpperCase();
}

function mentions(text: string, names: ReadonlySet<string>): boolean {
  const squashed = squash(text);
  for (const name of names) if (squashed.includes(name)) return true;
  return false;
}

/** Cuts the segments into chunks and keeps every chunk whose members are still the same. */
function chunks(segments: Numbered[], before: Reading["chunks"]): Reading["chunks"] {
  const all: (readonly Numbered[])[] = [];
  for (let at = 0; at < segments.length; ) {
    const end = chunkEnd(segments, at);
    const chunk = segments.slice(at, end);
    const old = before[all.length];
    const same = old?.length === chunk.length && chunk.every((member, index) => member === old[index]);
    all.push(same && old ? old : chunk);
    at = end;
  }
  return all;
}

/** A heading stays with what it is about, also in the style sheet, which joins the two. */
function chunkEnd(segments: Numbered[], start: number): number {
  let end = start + CHUNK;
  while (end < segments.length && segments[end - 1]?.segment.blocks.at(-1)?.type === "heading") end += 1;
  return end;
}
