import { describe, expect, it } from "vitest";
import type { Conversation } from "../../bridge";
import { linesOf, nextChat, shortTime, systemName } from "./groups";

const NOW = new Date(2026, 10, 21, 12, 0);
const at = (day: number, month = 10, year = 2026, hour = 9) => new Date(year, month, day, hour).toISOString();

function chat(id: string, active_at: string, more: Partial<Conversation> = {}): Conversation {
  return {
    id, active_at, title: id, title_by: "auto", model: null, system_prompt: null, pinned: false, archived: false, trashed_at: null,
    origin: null, continuation_id: null, message_count: 2, open_count: 0, created_at: active_at, updated_at: active_at, ...more,
  };
}

const shown = (conversations: Conversation[]) => linesOf(conversations, NOW).map((line) => (line.at === "heading" ? line.label : `- ${line.key}`));

describe("linesOf", () => {
  it("puts pinned chats first and leaves the rest under their days", () => {
    const lines = shown([
      chat("warfarin", at(1), { pinned: true }),
      chat("new", at(21)),
      chat("old", at(20)),
      chat("week", at(14)),
      chat("month", at(13)),
      chat("august", at(3, 7)),
      chat("last year", at(3, 7, 2025)),
    ]);
    expect(lines).toEqual([
      "Pinned", "- warfarin", "Today", "- new", "Yesterday", "- old", "Previous 7 days", "- week",
      "November", "- month", "August", "- august", "August 2025", "- last year",
    ]);
  });

  it("keeps what was imported together, at the end and counted, even between newer chats", () => {
    const origin = { system: "pharmgpt-v4", ids: {} };
    const lines = shown([chat("a", at(21), { origin }), chat("b", at(21)), chat("c", at(2), { origin })]);
    expect(lines).toEqual(["Today", "- b", "Imported from PharmGPT · 2", "- a", "- c"]);
  });

  it("counts a time of tomorrow as today, because clocks differ", () => {
    expect(shown([chat("ahead", at(22))])).toEqual(["Today", "- ahead"]);
  });

  it("calls 23:59 of the day before yesterday's, one minute after midnight", () => {
    const midnight = new Date(2026, 10, 21, 0, 1);
    expect(linesOf([chat("late", new Date(2026, 10, 20, 23, 59).toISOString())], midnight)[0]).toMatchObject({ label: "Yesterday" });
  });

  it("has no heading where there is nothing", () => {
    expect(shown([])).toEqual([]);
  });
});

describe("nextChat", () => {
  const lines = linesOf([chat("a", at(21)), chat("b", at(20))], NOW);
  it("steps over headings and stays at the ends", () => {
    expect(nextChat(lines, 1, 1)).toBe(3);
    expect(nextChat(lines, 3, -1)).toBe(1);
    expect(nextChat(lines, 3, 1)).toBe(3);
    expect(nextChat(lines, 1, -1)).toBe(1);
  });
});

describe("what a line says", () => {
  it("names systems without their version, and unknown ones as they are", () => {
    expect(systemName("pharmgpt-v4")).toBe("PharmGPT");
    expect(systemName("otherchat")).toBe("otherchat");
  });

  it("tells the time of the last two days and the year of an older one", () => {
    expect(shortTime(at(21), NOW)).toMatch(/9:00/);
    expect(shortTime(at(20), NOW)).toMatch(/9:00/);
    expect(shortTime(at(3, 7, 2025), NOW)).toMatch(/2025/);
  });
});
