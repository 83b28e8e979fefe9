/** What a person was asked and answered on the way to an import. It outlives the page, so that it can be left and come back to. */
import { useSyncExternalStore } from "react";
import * as bridge from "../../bridge";
import { isNobody, needProof } from "./people";
import { zoneHere } from "./zone";

type At<Name extends string, More = unknown> = { at: Name; source: bridge.FoundSource } & More;
type Asked = { everyone: bridge.Plan; users: string[] };

export type Flow =
  | { at: "found" }
  | At<"reading", { users: string[] }>
  | At<"who", Asked>
  | At<"prove", Asked & { left: bridge.Share[] }>
  | At<"plan", Asked & { planned: bridge.PlannedImport; zone: number }>
  | At<"failed", { users: string[]; failure: bridge.Failure }>;

let flow: Flow = { at: "found" };
const listeners = new Set<() => void>();
/** What is asked for later wins over an answer that comes late. */
let turn = 0;

function set(next: Flow): void {
  flow = next;
  for (const listener of listeners) listener();
}

export const useFlow = () =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => flow,
  );

export const restart = () => {
  turn += 1;
  set({ at: "found" });
};

/** Reads a source whole; where it has several people, asks who one is. */
export async function look(source: bridge.FoundSource, zone = zoneHere()): Promise<void> {
  const planned = await read(source, [], zone);
  if (planned === null) return;
  const everyone = planned.plan;
  if (everyone.people.length > 1) set({ at: "who", source, everyone, users: [] });
  else set({ at: "plan", source, everyone, users: [], planned, zone });
}

/** Goes on with these people, by their keys; none is everybody. */
export function choose(source: bridge.FoundSource, everyone: bridge.Plan, users: string[]): void {
  const left = needProof(everyone, users);
  if (left.length > 0) set({ at: "prove", source, everyone, users, left });
  else void planFor(source, everyone, users);
}

export async function planFor(source: bridge.FoundSource, everyone: bridge.Plan, users: string[], zone = zoneHere()): Promise<void> {
  const planned = await read(source, users, zone);
  if (planned !== null) set({ at: "plan", source, everyone, users, planned, zone });
}

/** Reads what came since an earlier import, for the same people. */
export async function lookAgain(source: bridge.FoundSource, users: string[], zone: number): Promise<void> {
  const planned = await read(source, users, zone);
  if (planned !== null) set({ at: "plan", source, everyone: planned.plan, users, planned, zone });
}

export const backToPeople = (source: bridge.FoundSource, everyone: bridge.Plan, users: string[]) => set({ at: "who", source, everyone, users });

export const setZone = (zone: number) => {
  if (flow.at === "plan") set({ ...flow, zone });
};

/** `null` where it was ended, or something else was asked for meanwhile. */
async function read(source: bridge.FoundSource, users: string[], zone: number): Promise<bridge.PlannedImport | null> {
  const mine = ++turn;
  set({ at: "reading", source, users });
  try {
    const planned = await bridge.importPlan(requestOf(source, users, zone));
    return mine === turn ? planned : null;
  } catch (error) {
    if (mine !== turn) return null;
    const failure = bridge.asFailure(error);
    set(failure.code === "interrupted" ? { at: "found" } : { at: "failed", source, users, failure });
    return null;
  }
}

export const requestOf = (source: bridge.FoundSource, users: string[], zone: number): bridge.ImportRequest => ({
  path: source.path,
  users,
  zone_minutes: zone,
  auto_rollback: false,
});

/** The names of those who are meant, for a title. */
export const namesOf = (everyone: bridge.Plan, users: string[]): string[] =>
  everyone.people.filter((share) => users.includes(share.key) && !isNobody(share)).map((share) => share.name ?? share.key);
