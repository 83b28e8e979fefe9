import { describe, expect, it } from "vitest";
import type { Unsynced } from "../../bridge";
import { marksOf, nextAt, NO_MARKS } from "./marks";

const now = Date.parse("2026-09-14T12:00:00Z");
const waiting = (id: string, seconds: number, is_stuck = false): Unsynced => ({
  message_id: id,
  since: new Date(now - seconds * 1000).toISOString(),
  is_stuck,
});

describe("the sync marks of a thread", () => {
  it("are none while all is on its way", () => {
    expect(marksOf([waiting("a", 0), waiting("b", 9.9)], now)).toBe(NO_MARKS);
    expect(marksOf([], now)).toBe(NO_MARKS);
  });

  it("come after ten seconds, by themselves", () => {
    const all = [waiting("a", 4), waiting("b", 8), waiting("c", 30)];
    expect([...marksOf(all, now)]).toEqual([["c", "waits"]]);
    expect(nextAt(all, now)).toBe(now + 2000);
    expect([...marksOf(all, now + 2000).keys()]).toEqual(["b", "c"]);
    expect(nextAt(all, now + 6000)).toBeNull();
  });

  it("show at once what waits for a person", () => {
    const all = [waiting("a", 1, true)];
    expect([...marksOf(all, now)]).toEqual([["a", "stuck"]]);
    expect(nextAt(all, now)).toBeNull();
  });
});
