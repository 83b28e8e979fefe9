/**
 * Keeps one stream per view and decides how much of the text to read now.
 *
 * Ordinary answers are read at once. A giant one is read a piece per task, so that opening it never
 * blocks the window; and a tail that is dear to read (one list of many pages) is read less often.
 */
import { useEffect, useReducer, useState } from "react";
import { MarkdownStream, type Reading } from "./stream";

/** What one look may take in; about 50 ms in WebKitGTK. */
const PIECE_CHARS = 48_000;
/** An update that took longer than this is followed by a rest. */
const DEAR_MS = 8;
/** The rest is so many times the cost, so that reading takes at most a quarter of the time. */
const REST_FACTOR = 3;
const LONGEST_REST_MS = 500;

export function useReading(source: string, streaming: boolean): Reading {
  const [reader] = useState(() => new Reader());
  const [taken, setTaken] = useState(PIECE_CHARS);
  const [, wake] = useReducer((count: number) => count + 1, 0);
  const whole = source.length <= taken;
  const { reading, restMs } = reader.read(whole ? source : source.slice(0, taken), whole && !streaming);

  useEffect(() => {
    if (whole) return;
    const timer = setTimeout(() => setTaken(taken + PIECE_CHARS), 0);
    return () => clearTimeout(timer);
  }, [whole, taken]);

  useEffect(() => {
    if (restMs === 0) return;
    const timer = setTimeout(wake, restMs);
    return () => clearTimeout(timer);
  }, [restMs]);

  return reading;
}

/** `restMs`: the text has gone on, and should be read again after so long. */
type Look = { reading: Reading; restMs: number };

/** The same text gives the same reading, however often React draws. */
class Reader {
  private readonly stream = new MarkdownStream();
  private reading: Reading = { chunks: [], notes: [] };
  private source: string | null = null;
  private done = false;
  private restUntil = 0;

  read(source: string, done: boolean): Look {
    if (source === this.source && done === this.done) return { reading: this.reading, restMs: 0 };
    const start = performance.now();
    const goesOn = !done && this.source !== null && source.startsWith(this.source);
    if (goesOn && start < this.restUntil) return { reading: this.reading, restMs: this.restUntil - start };
    this.reading = this.stream.update(source, done);
    this.source = source;
    this.done = done;
    const cost = performance.now() - start;
    this.restUntil = start + cost + (cost > DEAR_MS ? Math.min(cost * REST_FACTOR, LONGEST_REST_MS) : 0);
    return { reading: this.reading, restMs: 0 };
  }
}
