import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pieces } from "./pieces";

describe("pieces", () => {
  it("marks what matched", () => {
    expect(pieces("oral propranolol", [[5, 16]])).toEqual([
      { text: "oral ", marked: false },
      { text: "propranolol", marked: true },
    ]);
  });

  it("joins highlights that touch or overlap", () => {
    const marked = pieces("abcdef", [
      [2, 4],
      [0, 3],
    ]);
    expect(marked).toEqual([
      { text: "abcd", marked: true },
      { text: "ef", marked: false },
    ]);
  });

  it("never splits a surrogate pair", () => {
    expect(pieces("a😀b", [[0, 2]])).toEqual([
      { text: "a😀", marked: true },
      { text: "b", marked: false },
    ]);
  });

  it("loses no character, whatever the offsets are", () => {
    const offsets = fc.array(fc.tuple(fc.integer({ min: -5, max: 40 }), fc.integer({ min: -5, max: 40 })), { maxLength: 6 });
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), offsets, (snippet, highlights) => {
        const shown = pieces(snippet, highlights);
        expect(shown.map((piece) => piece.text).join("")).toBe(snippet);
        expect(shown.every((piece) => piece.text !== "")).toBe(true);
      }),
    );
  });
});
