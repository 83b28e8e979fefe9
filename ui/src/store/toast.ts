/** Toasts: what was done and can be taken back, and failures that belong to no place. */
import { useSyncExternalStore } from "react";
import type { Failure } from "../bridge";

export type Toast = { id: number; tone: "plain" | "failure"; text: string; hint: string | null; action: { label: string; run: () => void } | null };

let toasts: Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function set(list: Toast[]): void {
  toasts = list;
  for (const listener of listeners) listener();
}

/** At most three are shown; the oldest goes first. */
function add(toast: Omit<Toast, "id">): number {
  const id = next++;
  set([...toasts, { ...toast, id }].slice(-3));
  return id;
}

export const toast = {
  say: (text: string, action: Toast["action"] = null) => add({ tone: "plain", text, hint: null, action }),
  failure: (failure: Failure) => add({ tone: "failure", text: failure.message, hint: failure.hint, action: null }),
  dismiss: (id: number) => set(toasts.filter((one) => one.id !== id)),
};

export const useToasts = () =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
