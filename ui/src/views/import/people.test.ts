import { expect, it } from "vitest";
import type { Plan, Share } from "../../bridge";
import { inOrder, needProof, needsKey } from "./people";

const share = (key: string, more: Partial<Share> = {}): Share => ({
  key,
  name: key,
  other_names: [],
  twins: [],
  protected: false,
  proven: null,
  email: null,
  conversations: 1,
  messages: 1,
  documents: 0,
  ...more,
});
const plan = (people: Share[]) => ({ people }) as Plan;

it("shows whoever has most first, and folders of nobody last", () => {
  const people = [share("folder", { name: null, messages: 100 }), share("ann"), share("ben", { messages: 5 })];
  expect(inOrder(people).map((one) => one.key)).toEqual(["ben", "ann", "folder"]);
});

it("asks for a password only where more than one person had one", () => {
  const locked = { protected: true, proven: false };
  expect(needProof(plan([share("ann", locked), share("ben")]), ["ann"])).toEqual([]);
  const two = plan([share("ann", locked), share("ben", locked), share("cat")]);
  expect(needProof(two, ["ann", "cat"]).map((one) => one.key)).toEqual(["ann"]);
  expect(needProof(two, [])).toEqual([]);
});

it("does not ask again for what was proven", () => {
  const proven = plan([share("ann", { protected: true, proven: true }), share("ben", { protected: true, proven: false })]);
  expect(needProof(proven, ["ann"])).toEqual([]);
});

it("tells twins and folders of nobody apart by their ids", () => {
  expect([share("ann"), share("Ann", { twins: ["ann"] }), share("x", { name: null })].map(needsKey)).toEqual([false, true, true]);
});
