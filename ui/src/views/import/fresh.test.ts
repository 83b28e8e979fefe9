import { expect, it } from "vitest";
import type { ImportNews, ImportView } from "../../bridge";
import { freshNews } from "./fresh";

const news = (path: string, conversations = 1): ImportNews => ({ path, source: "pharmgpt", name: "PharmGPT", conversations, messages: conversations });
const past = (path: string, state: string) => ({ path, state, users: ["ann"] }) as ImportView;

it("tells of sources that were brought over, and how they were", () => {
  const told = freshNews([news("/a"), news("/b"), news("/c"), news("/d", 0)], [past("/a", "done"), past("/b", "undone"), past("/d", "done")]);
  expect(told.map(({ now, past: before }) => [now.path, before.users])).toEqual([["/a", ["ann"]]]);
});
