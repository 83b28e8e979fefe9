/** Small words about messages. */
import type { ModelEntry, ModelRef, Timestamp } from "../../bridge";
import { text } from "../../text";

/** Words of a text, as the person's language divides them. */
export function words(content: string): number {
  if (content.length > 200_000) return content.split(/\s+/u).filter(Boolean).length;
  let n = 0;
  for (const part of new Intl.Segmenter(undefined, { granularity: "word" }).segment(content)) if (part.isWordLike) n++;
  return n;
}

/** `11:24` today, `12 Sep, 11:24` this year, with the year before that. */
export function when(at: Timestamp, now: Date = new Date()): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === now.toDateString()) return time;
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return `${date.toLocaleDateString(undefined, { day: "numeric", month: "short", ...year })}, ${time}`;
}

/** A model as a person knows it. */
export function modelName(model: ModelRef | null, models: ModelEntry[] | undefined): string {
  if (model === null) return text.thread.assistant;
  const entry = models?.find((one) => one.model === model);
  const name = entry?.name ?? model.slice(model.indexOf("/") + 1);
  return model.startsWith("local/") ? text.thread.onThisComputer(name) : name;
}

/** `2 days`, `5 hours`: how long ago, in one unit. */
export function age(at: Timestamp, now: number = Date.now()): string {
  const hours = Math.max(0, now - Date.parse(at)) / 3_600_000;
  const [value, unit] = hours >= 36 ? ([Math.round(hours / 24), "day"] as const) : ([Math.max(1, Math.round(hours)), "hour"] as const);
  return new Intl.NumberFormat(undefined, { style: "unit", unit, unitDisplay: "long" }).format(value);
}
