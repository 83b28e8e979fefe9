import { describe, expect, it } from "vitest";
import { day } from "../../text/views";
import { ago } from "./ago";

const noon = new Date(2026, 8, 14, 12, 0, 0);
const before = (ms: number) => ago(new Date(noon.getTime() - ms).toISOString(), noon.getTime());
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("ago", () => {
  it("counts no seconds", () => {
    expect(before(0)).toBe("just now");
    expect(before(59_999)).toBe("just now");
    expect(before(MINUTE)).toBe("1 min ago");
    expect(before(59 * MINUTE)).toBe("59 min ago");
  });

  it("counts hours within the day, and over midnight where it is short", () => {
    expect(before(HOUR)).toBe("1 h ago");
    expect(before(11 * HOUR)).toBe("11 h ago");
    const early = new Date(2026, 8, 14, 2, 0, 0);
    expect(ago(new Date(2026, 8, 13, 23, 0, 0).toISOString(), early.getTime())).toBe("3 h ago");
  });

  it("names the day before, then the date", () => {
    expect(before(20 * HOUR)).toBe("yesterday");
    const older = new Date(2026, 8, 12, 12, 0, 0).toISOString();
    expect(ago(older, noon.getTime())).toBe(`on ${day(older)}`);
  });

  it("takes a clock that runs ahead for now", () => {
    expect(before(-3 * HOUR)).toBe("just now");
  });
});
