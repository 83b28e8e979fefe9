/**
 * Keeps one stream per view and decides how much of the text to read now.
 *
 * Ordinary answers are read at once. A giant one is read a piece per task, so that opening it never
 * blocks the window; and a tail that is dear to read (one list of many pages) is read less often.
 */
import { useEffect, useReducer, useRef, useState } from "react";
import { MarkdownStream, type Reading } from "./stream";

/** What one look may take in; about 50 ms in WebKitGTK. */
const PIECE_CHARS = 48_000;
/** An update that took longer than this is followed by a rest. */
const DEAR_MS = 8;
/** The rest is so many times the cost, so that reading takes at most a quarter of the time. */
const REST_FACTOR = 3;
const LONGEST_REST_MS = 500;

type Last = { reading: Reading; source: string; done: boolean; restUntil: number };

export function useReading(source: string, streaming: boolean): Reading {
  const [stream] = useState(() => new MarkdownStream());
  const [taken, setTaken] = useState(PIECE_CHARS);
  const [, wake] = useReducer((count: number) => count + 1, 0);
  const last = useRef<Last | null>(null);

  const whole = source.length <= taken;
  const text = whole ? source : source.slice(0, taken);
  const done = whole && !streaming;
  const now = performance.now();
  const rest = (last.current?.restUntil ?? 0) - now;
  const resting = streaming && rest > 0 && last.current !== null && source.startsWith(last.current.source);
  const same = last.current?.source === text && last.current.done === done;
  if (!same && !resting) last.current = read(stream, text, done, now);

  useEffect(() => {
    if (whole) return;
    const timer = setTimeout(() => setTaken((chars) => chars + PIECE_CHARS), 0);
    return () => clearTimeout(timer);
  }, [whole, taken]);

  useEffect(() => {
    if (!resting) return;
    const timer = setTimeout(wake, rest);
    return () => clearTimeout(timer);
  });

  return last.current?.reading ?? NOTHING;
}

const NOTHING: Reading = { chunks: [], notes: [] };

function read(stream: MarkdownStream, source: string, done: boolean, start: number): Last {
  const reading = stream.update(source, done);
  const cost = performance.now() - start;
  const rest = cost > DEAR_MS ? Math.min(cost * REST_FACTOR, LONGEST_REST_MS) : 0;
  return { reading, source, done, restUntil: start + cost + rest };
}
