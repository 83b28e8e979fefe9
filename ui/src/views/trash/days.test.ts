import { describe, expect, it } from "vitest";
import { daysLeft } from "./days";

const THROWN_AWAY = "2026-11-01T12:00:00Z";
const after = (days: number) => daysLeft(THROWN_AWAY, Date.parse(THROWN_AWAY) + days * 86_400_000);

describe("daysLeft", () => {
  it("begins with thirty and ends with none", () => {
    expect(after(0)).toBe(30);
    expect(after(30)).toBe(0);
    expect(after(400)).toBe(0);
  });

  it("says one day until the last moment, never a day too few", () => {
    expect(after(0.5)).toBe(30);
    expect(after(28.9)).toBe(2);
    expect(after(29.99)).toBe(1);
  });

  it("does not promise more than thirty when the clock was set back", () => {
    expect(after(-3)).toBe(30);
  });
});
