import { describe, expect, it } from "vitest";
import { best, fit } from "./fuzzy";

describe("fit", () => {
  it("prefers the start of the text, then the start of a word, then the middle", () => {
    const [start, word, middle] = [fit("war", "Warfarin"), fit("war", "About warfarin"), fit("war", "Hardware")];
    expect(start).toBeGreaterThan(word);
    expect(word).toBeGreaterThan(middle);
    expect(middle).toBeGreaterThan(0);
  });

  it("finds initials", () => {
    expect(fit("nc", "New chat")).toBeGreaterThan(0);
    expect(fit("fpm", "First-pass metabolism")).toBeGreaterThan(0);
  });

  it("takes words in any order, and needs all of them", () => {
    expect(fit("metabolism first", "First-pass metabolism")).toBeGreaterThan(0);
    expect(fit("metabolism second", "First-pass metabolism")).toBe(0);
  });

  it("does not mind accents or capitals", () => {
    expect(fit("uber", "Über Ärzte")).toBe(1);
  });

  it("does not find letters that are strewn about", () => {
    expect(fit("aeio", "Warfarin and metoprolol in cirrhosis")).toBe(0);
    expect(fit("pro", "Next part of the window")).toBe(0);
  });
});

describe("best", () => {
  it("keeps the order of the list where nothing was typed", () => {
    expect(best(" ", ["b", "a", "c"], (one) => one, 2)).toEqual(["b", "a"]);
  });

  it("keeps the order of the list among equals", () => {
    expect(best("chat", ["chat 2", "other", "chat 1"], (one) => one, 5)).toEqual(["chat 2", "chat 1"]);
  });
});
