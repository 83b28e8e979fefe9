import type { Health } from "../../bridge";

/**
 * What is copied for whoever is to help: counts, times, states.
 *
 * Each part is named here, so that nothing that is told to this window later comes along by itself: no
 * text, no title, no address, no key, no name of a device.
 */
export function diagnostics({ sync, doorbell, requests, queries, slow, failures, bytes }: Health, version: string, now: Date): string {
  const { state, counts, synced_at, moved, cursor } = sync;
  const report = {
    tidemark: version,
    written_at: now.toISOString(),
    sync: { state, counts, synced_at, moved, cursor },
    doorbell,
    mirror_bytes: bytes,
    requests,
    queries,
    slow,
    failures,
  };
  return JSON.stringify(report, null, 2);
}
