/** Which messages carry a mark of sync, and when that changes next: pure. */
import type { MessageId, Unsynced } from "../../bridge";

export type Mark = "waits" | "stuck";
export type Marks = ReadonlyMap<MessageId, Mark>;

/** A message that goes up within this is not marked: nearly all do. */
const GRACE_MS = 10_000;

export const NO_MARKS: Marks = new Map();

/** What waits longer than a moment, and what waits for a person. */
export function marksOf(unsynced: Unsynced[], now: number): Marks {
  const marked = unsynced.filter((one) => one.is_stuck || dueAt(one) <= now);
  return marked.length === 0 ? NO_MARKS : new Map(marked.map((one) => [one.message_id, one.is_stuck ? "stuck" : "waits"]));
}

/** When the next one gets its mark; `null` where none will. */
export function nextAt(unsynced: Unsynced[], now: number): number | null {
  const due = unsynced.filter((one) => !one.is_stuck && dueAt(one) > now).map(dueAt);
  return due.length === 0 ? null : Math.min(...due);
}

const dueAt = (one: Unsynced): number => Date.parse(one.since) + GRACE_MS;
