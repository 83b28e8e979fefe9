import { describe, expect, it } from "vitest";
import { touchedBy } from "./changes";
import { keys } from "./keys";

describe("touchedBy", () => {
  it("reads a list once, however many conversations changed", () => {
    const touched = touchedBy([
      { kind: "conversation", id: "a" },
      { kind: "conversation", id: "b" },
    ]);
    expect(touched.queries).toEqual([keys.shelves, keys.conversation("a"), keys.conflicts, keys.conversation("b")]);
    expect([...touched.threads]).toEqual(["a", "b"]);
  });

  it("collects messages by conversation and leaves the lists alone", () => {
    const touched = touchedBy([
      { kind: "message", conversation_id: "a", id: "1" },
      { kind: "message", conversation_id: "a", id: "2" },
      { kind: "message", conversation_id: "a", id: "1" },
    ]);
    expect(touched.queries).toEqual([]);
    expect([...(touched.messages.get("a") ?? [])]).toEqual(["1", "2"]);
  });

  it("does not read anything again for a draft: the composer holds it", () => {
    expect(touchedBy([{ kind: "draft", conversation_id: null }]).queries).toEqual([]);
  });

  it("leaves what only sync concerns to its own pace", () => {
    const touched = touchedBy([{ kind: "sync" }, { kind: "sync" }]);
    expect(touched.queries).toEqual([]);
    expect(touched.sync).toBe(true);
  });
});
