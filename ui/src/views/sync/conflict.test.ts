import { describe, expect, it } from "vitest";
import { choiceFor, messageFor, shownValue, sides } from "./conflict";

const lostHere = { ours: true, kept: "Theirs", lost: "Mine", register: "title" };
const lostThere = { ours: false, kept: "Mine", lost: "Theirs", register: "title" };

describe("keeping mine", () => {
  it("brings back what lost here, and leaves what stands already", () => {
    expect(choiceFor(lostHere, "mine")).toBe("bring_back");
    expect(choiceFor(lostThere, "mine")).toBe("keep_current");
  });

  it("is the reverse of keeping the other", () => {
    expect(choiceFor(lostHere, "theirs")).toBe("keep_current");
    expect(choiceFor(lostThere, "theirs")).toBe("bring_back");
  });

  it("shows the text that it names", () => {
    for (const conflict of [lostHere, lostThere]) expect(sides(conflict)).toEqual({ mine: "Mine", theirs: "Theirs" });
  });
});

it("both are kept whoever lost", () => {
  expect(choiceFor(lostHere, "both")).toBe("keep_both");
  expect(choiceFor(lostThere, "both")).toBe("keep_both");
});

it("of two texts in the chat, the one that was wished for is shown", () => {
  const copied = { ours: true, message_id: "stands", copy_id: "lost" };
  expect(messageFor(copied, "mine")).toBe("lost");
  expect(messageFor(copied, "theirs")).toBe("stands");
  expect(messageFor({ ...copied, ours: false }, "mine")).toBe("stands");
  expect(messageFor(copied, "both")).toBeNull();
  expect(messageFor({ ...copied, copy_id: null }, "mine")).toBeNull();
});

it("a value that is no text is said in words", () => {
  expect(shownValue("pinned", "true")).toBe("Yes");
  expect(shownValue("archived", "false")).toBe("No");
  expect(shownValue("trashed_ms", "")).toBe("No");
  expect(shownValue("trashed_ms", String(Date.UTC(2026, 8, 14, 12)))).toContain("2026");
  expect(shownValue("system_prompt", "")).toBe("(empty)");
  expect(shownValue("title", "Warfarin")).toBe("Warfarin");
});
