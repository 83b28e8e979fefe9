import { expect, it } from "vitest";
import type { ImportCounts, Plan, Report } from "../../bridge";
import { hasNew, planRows, reportRows } from "./rows";
import { zoneHere, ZONES, zoneName } from "./zone";
import { span } from "../../text/import";

const counts = (some: Partial<ImportCounts>): ImportCounts => ({ users: 0, conversations: 0, messages: 0, documents: 0, fragments: 0, attachments: 0, folded: 0, ...some });
const plan = (found: Partial<ImportCounts>, here: Partial<ImportCounts>) => ({ ...counts(found), already_here: counts(here) }) as Plan;

it("tells what is new, and leaves out kinds of which there is none", () => {
  const told = planRows(plan({ conversations: 3, messages: 40 }, { conversations: 1, messages: 15 }));
  expect(told).toEqual([
    { kind: "conversations", found: 3, here: 1, fresh: 2 },
    { kind: "messages", found: 40, here: 15, fresh: 25 },
  ]);
});

it("says that nothing is new even where attachments were counted again", () => {
  expect(hasNew(plan({ conversations: 1, messages: 2, attachments: 5 }, { conversations: 1, messages: 2 }))).toBe(false);
  expect(hasNew(plan({ conversations: 1, messages: 2 }, { conversations: 1, messages: 1 }))).toBe(true);
});

it("shows what was written as it was counted, so that a difference is seen", () => {
  const report = { ...plan({ conversations: 2, messages: 10 }, {}), imported: counts({ conversations: 2, messages: 9 }) } as Report;
  expect(reportRows(report)[1]).toEqual({ kind: "messages", found: 10, here: 0, fresh: 9 });
});

it("names zones with half hours, and has the computer's own among them", () => {
  expect([330, -570, 0, 60].map(zoneName)).toEqual(["UTC+05:30", "UTC−09:30", "UTC+00:00", "UTC+01:00"]);
  expect(ZONES).toContain(zoneHere());
  expect(new Set(ZONES).size).toBe(ZONES.length);
});

it("says how long it takes as a person would", () => {
  expect([0, 40_000, 60_000, 600_000, 7_200_000].map(span)).toEqual([
    "less than a minute",
    "less than a minute",
    "about 1 minute",
    "about 10 minutes",
    "about 2 hours",
  ]);
});
