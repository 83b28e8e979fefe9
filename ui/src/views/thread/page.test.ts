import { describe, expect, it } from "vitest";
import type { Conversation, MessageState, ThreadMessage, ThreadPage } from "../../bridge";
import { append, fromPage, prepend, toStop, withEnd, withMessages } from "./page";

const conversation = { id: "c" } as Conversation;
const message = (id: number, state: MessageState = "done", content = "") =>
  ({ id: String(id), parent_id: id === 0 ? null : String(id - 1), state, content, role: id % 2 === 0 ? "user" : "assistant" }) as ThreadMessage;
const page = (from: number, to: number, has_before = from > 0, has_after = false): ThreadPage => ({
  conversation,
  messages: Array.from({ length: to - from }, (_, at) => message(from + at)),
  has_before,
  has_after,
});
const ids = (loaded: { messages: ThreadMessage[] }) => loaded.messages.map((one) => one.id).join(" ");

describe("a thread", () => {
  it("grows above and below without doubles", () => {
    const loaded = append(prepend(fromPage(page(4, 6)), page(2, 5)), page(5, 8));
    expect(ids(loaded)).toBe("2 3 4 5 6 7");
    expect(loaded.hasBefore).toBe(true);
    expect(loaded.hasAfter).toBe(false);
  });

  it("keeps what is above when its end is read again", () => {
    const loaded = withEnd(prepend(fromPage(page(4, 6)), page(0, 4)), page(4, 8));
    expect(ids(loaded)).toBe("0 1 2 3 4 5 6 7");
    expect(loaded.hasBefore).toBe(false);
  });

  it("joins an end that begins right below what is loaded", () => {
    expect(ids(withEnd(fromPage(page(0, 4)), page(4, 6)))).toBe("0 1 2 3 4 5");
  });

  it("shows another branch from its own end", () => {
    const other = { ...page(4, 6), messages: [{ ...message(40), parent_id: "39" }] };
    expect(ids(withEnd(fromPage(page(0, 4)), other))).toBe("40");
  });

  it("does not touch rows that say the same", () => {
    const loaded = fromPage(page(0, 3));
    const fresh = withMessages(loaded, [message(1), message(2, "done", "new")]);
    expect(fresh.messages[1]).toBe(loaded.messages[1]);
    expect(fresh.messages[2]).not.toBe(loaded.messages[2]);
  });

  it("stops what arrives before what waits for its time", () => {
    expect(toStop([message(1, "retrying"), message(3, "streaming")])).toBe("3");
    expect(toStop([message(1, "queued"), message(2, "retrying")])).toBeNull();
  });
});
