import { describe, expect, it } from "vitest";
import { readNumber } from "./number";

const temperature = { min: 0, max: 2, whole: false, canBeEmpty: true };
const hours = { min: 0, max: 8760, whole: true, canBeEmpty: false };

describe("readNumber", () => {
  it("takes a point and a comma", () => {
    expect(readNumber("0.7", temperature)).toEqual({ ok: true, value: 0.7 });
    expect(readNumber(" 0,7 ", temperature)).toEqual({ ok: true, value: 0.7 });
  });

  it("leaves it to the provider when nothing is typed, where that is allowed", () => {
    expect(readNumber("  ", temperature)).toEqual({ ok: true, value: null });
    expect(readNumber("", hours).ok).toBe(false);
  });

  it("refuses what is not a number, or not one that fits", () => {
    for (const typed of ["warm", "1e3", "0x10", "1.2.3", "Infinity"]) expect(readNumber(typed, temperature).ok, typed).toBe(false);
    expect(readNumber("2.1", temperature)).toEqual({ ok: false, error: "This takes 0 to 2." });
    expect(readNumber("1.5", hours)).toEqual({ ok: false, error: "This takes a whole number." });
  });
});
