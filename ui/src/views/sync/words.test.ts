import { describe, expect, it } from "vitest";
import type { Counts, Pause, SyncState } from "../../bridge";
import { text } from "../../text";
import { iconOf, needsYou, tone, wordsOf } from "./words";

const now = Date.parse("2026-09-14T12:00:00Z");
const counts = (waiting = 0): Counts => ({ waiting, parked: 0, conflicts: 0, oldest_at: null });
const says = (state: SyncState, waiting = 0) => wordsOf({ state, counts: counts(waiting) }, now);

describe("the sync words", () => {
  it("are those that a person was promised", () => {
    expect(says({ at: "local_only" })).toBe("Local only");
    expect(says({ at: "connecting" })).toBe("Connecting…");
    expect(says({ at: "syncing" }, 14)).toBe("Syncing 14 changes");
    expect(says({ at: "syncing" }, 1)).toBe("Syncing 1 change");
    expect(says({ at: "up_to_date", since: "2026-09-14T11:59:50Z" })).toBe("Up to date, just now");
    expect(says({ at: "offline" }, 3)).toBe("Offline. 3 changes will sync when you are back online.");
    expect(says({ at: "paused", why: "sign_in" }, 3)).toBe("Paused: sign in again (nothing is lost)");
    expect(says({ at: "paused", why: "server_full" })).toBe("Paused: the server is full");
  });

  it("do not promise anything where nothing waits", () => {
    expect(says({ at: "offline" })).toBe("Offline");
    expect(says({ at: "syncing" })).toBe("Syncing…");
  });

  it("grow older with the time that they name", () => {
    const state: SyncState = { at: "up_to_date", since: "2026-09-14T11:55:00Z" };
    expect(wordsOf({ state, counts: counts() }, now)).toBe("Up to date, 5 min ago");
    expect(wordsOf({ state, counts: counts() }, now + 120_000)).toBe("Up to date, 7 min ago");
  });

  it("have a remedy for every pause", () => {
    for (const [why, { words, about }] of Object.entries(text.sync.pauses)) {
      expect(says({ at: "paused", why: why as Pause })).toBe(`Paused: ${words}`);
      expect(about.length).toBeGreaterThan(words.length);
    }
  });
});

it("only what waits for a network or a person is marked, and never in the colour of an error", () => {
  const tones = (["local_only", "connecting", "syncing", "first_sync", "offline", "elsewhere", "disk_full"] as const).map((at) => tone({ at }));
  expect(tones).toEqual(["calm", "busy", "busy", "busy", "waits", "calm", "waits"]);
  expect(iconOf({ at: "offline" })).not.toBe(iconOf({ at: "paused", why: "sign_in" }));
});

it("changes that were refused and conflicts wait for a person", () => {
  expect(needsYou({ counts: { ...counts(5), parked: 2, conflicts: 1 } })).toBe(3);
});

it("a project that is not set up is told its own command", () => {
  expect(text.sync.install("https://abcdef.supabase.co")).toBe("supabase link --project-ref abcdef && supabase db push");
  for (const url of ["https://db.hospital.example", "http://127.0.0.1:54321", null]) expect(text.sync.install(url)).toContain("psql");
});
