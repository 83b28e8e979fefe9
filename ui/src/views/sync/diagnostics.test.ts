import { expect, it } from "vitest";
import type { Health } from "../../bridge";
import { diagnostics } from "./diagnostics";

const health: Health = {
  sync: {
    state: { at: "offline" },
    counts: { waiting: 3, parked: 1, conflicts: 0, oldest_at: "2026-09-14T11:00:00Z" },
    synced_at: null,
    moved: { pushed: 5, pulled: 7 },
    cursor: 12,
  },
  doorbell: "down",
  requests: [{ name: "sync_pull", count: 2, p50_ms: 1, p95_ms: 2, p99_ms: 2, max_ms: 2, recent_ms: [1, 2] }],
  queries: [],
  slow: [],
  failures: [{ name: "sync_push", what: "rest: 403, device_revoked", at: "2026-09-14T11:00:00Z" }],
  bytes: 4096,
};

it("the diagnostics hold the state and the counts", () => {
  const copied = JSON.parse(diagnostics(health, "1.2.3", new Date("2026-09-14T12:00:00Z")));
  expect(copied).toMatchObject({ tidemark: "1.2.3", written_at: "2026-09-14T12:00:00.000Z", sync: { counts: { waiting: 3, parked: 1 } } });
  expect(copied.failures[0].what).toBe("rest: 403, device_revoked");
});

it("the diagnostics leave out whatever else is told of the account", () => {
  const told = { ...health, email: "ann@example.com", sync: { ...health.sync, project: "https://ann.example.com" } };
  expect(diagnostics(told, "1.2.3", new Date())).not.toContain("ann");
});
