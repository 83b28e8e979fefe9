import { describe, expect, it } from "vitest";
import { carried } from "./text";

describe("carried", () => {
  it("leaves ordinary text alone", () => {
    expect(carried("5 µg 🧪 ما")).toEqual({ content: "5 µg 🧪 ما", content_raw: null });
  });

  it("keeps the bytes of a lone surrogate beside a replacement", () => {
    const sent = carried("a\ud83ez");
    expect(sent.content).toBe("a\ufffdz");
    expect([...atob(sent.content_raw ?? "")].map((char) => char.charCodeAt(0))).toEqual([0x61, 0xed, 0xa0, 0xbe, 0x7a]);
  });
});
