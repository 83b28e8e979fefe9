import { describe, expect, it } from "vitest";
import { checkPassphrase } from "./passphrase";

describe("checkPassphrase", () => {
  it("takes eight characters that were typed twice", () => {
    expect(checkPassphrase("eight ch", "eight ch")).toEqual({ passphrase: null, again: null });
  });

  it("says how many are missing", () => {
    expect(checkPassphrase("seven c", "seven c").passphrase).toBe("1 more character needed.");
  });

  it("counts an emoji as one character", () => {
    expect(checkPassphrase("😀😀😀😀", "😀😀😀😀").passphrase).toBe("4 more characters needed.");
  });

  it("notices a slip of the finger", () => {
    expect(checkPassphrase("correct horse", "correct hrose").again).not.toBeNull();
  });
});
