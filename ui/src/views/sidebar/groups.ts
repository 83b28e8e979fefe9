/** The sidebar's lines: conversations under their headings. Pure, so that a test chooses the day. */
import type { Conversation, Timestamp } from "../../bridge";
import { text } from "../../text";

export type Line = { at: "heading"; key: string; label: string } | { at: "chat"; key: string; conversation: Conversation };

/** Names of the systems that conversations were imported from; others are shown as they are. */
const SYSTEMS: Record<string, string> = { pharmgpt: "PharmGPT" };

/**
 * Lines in the order they are shown: pinned, then by day, then by month, then what was imported.
 *
 * `conversations` come in the core's order (pinned first, then the latest), which stays as it is
 * inside a group.
 */
export function linesOf(conversations: Conversation[], now: Date): Line[] {
  const groups = new Map<string, { label: string; imported: boolean; conversations: Conversation[] }>();
  for (const conversation of conversations) {
    const { key, label, imported } = groupOf(conversation, now);
    const group = groups.get(key) ?? { label, imported, conversations: [] };
    group.conversations.push(conversation);
    groups.set(key, group);
  }
  const ordered = [...groups].sort(([, a], [, b]) => Number(a.imported) - Number(b.imported));
  return ordered.flatMap(([key, { label, imported, conversations: members }]): Line[] => [
    { at: "heading", key, label: imported ? `${label} · ${members.length.toLocaleString()}` : label },
    ...members.map((conversation): Line => ({ at: "chat", key: conversation.id, conversation })),
  ]);
}

function groupOf(conversation: Conversation, now: Date): { key: string; label: string; imported: boolean } {
  if (conversation.pinned) return { key: "pinned", label: text.sidebar.pinned, imported: false };
  if (conversation.origin !== null) {
    const name = systemName(conversation.origin.system);
    return { key: `imported ${name}`, label: text.sidebar.imported(name), imported: true };
  }
  return { ...dayGroup(new Date(conversation.active_at), now), imported: false };
}

function dayGroup(date: Date, now: Date): { key: string; label: string } {
  const days = daysBefore(date, now);
  // A clock that was ahead writes times of tomorrow; they belong to what is latest.
  if (days <= 0) return { key: "today", label: text.sidebar.today };
  if (days === 1) return { key: "yesterday", label: text.sidebar.yesterday };
  if (days <= 7) return { key: "week", label: text.sidebar.week };
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return { key: `${date.getFullYear()}-${date.getMonth()}`, label: date.toLocaleDateString(undefined, { month: "long", ...year }) };
}

/** Calendar days from `date` to `now`, where a day may have 23 or 25 hours. */
function daysBefore(date: Date, now: Date): number {
  const midnight = (of: Date) => Date.UTC(of.getFullYear(), of.getMonth(), of.getDate());
  return (midnight(now) - midnight(date)) / 86_400_000;
}

/** `pharmgpt-v4` is PharmGPT. */
export function systemName(system: string): string {
  const plain = system.replace(/-v\d+$/, "");
  return SYSTEMS[plain] ?? plain;
}

/** At the right of a line: the time within two days, then the weekday, then the date. */
export function shortTime(at: Timestamp, now: Date): string {
  const date = new Date(at);
  const days = daysBefore(date, now);
  if (days <= 1) return date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  if (days <= 7) return date.toLocaleDateString(undefined, { weekday: "short" });
  if (date.getFullYear() === now.getFullYear()) return date.toLocaleDateString(undefined, { day: "numeric", month: "short" });
  return date.toLocaleDateString(undefined, { month: "short", year: "numeric" });
}

/** The next line with a chat from `from` on in one direction; `from` itself where there is none. */
export function nextChat(lines: Line[], from: number, step: 1 | -1): number {
  for (let at = from + step; at >= 0 && at < lines.length; at += step) {
    if (lines[at]?.at === "chat") return at;
  }
  return from;
}
