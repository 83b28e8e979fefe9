import { expect, it } from "vitest";
import { lineOf } from "./line";

it("goes from the left to the right, with the highest at the top and zero at the bottom", () => {
  expect(lineOf([0, 10, 5], 100, 20)).toBe("M0.0 18.5L50.0 1.5L100.0 10.0");
});

it("draws one value as a level line", () => {
  expect(lineOf([7], 100, 20)).toBe("M0.0 1.5L100.0 1.5");
});

it("draws nothing but zeros at the bottom, and no number that is none", () => {
  const line = lineOf([0, 0], 100, 20);
  expect(line).toBe("M0.0 18.5L100.0 18.5");
  expect(line).not.toContain("NaN");
});
