/** What the window shows: one small state, changed in one place. */
import { useSyncExternalStore } from "react";
import type { ConversationId, MessageId } from "../bridge";

export type SettingsPage = "general" | "models" | "account" | "sync" | "import" | "appearance" | "keyboard" | "data" | "about";

/** The parts of the sync page. */
export type SyncPart = "parked" | "conflicts" | "health";

export type View =
  /** `id` is `null` in the new chat; `target` is a message to be shown and flashed once. */
  | { at: "chat"; id: ConversationId | null; target: MessageId | null; visit: number }
  | { at: "search" }
  | { at: "archive" }
  | { at: "trash" }
  | { at: "settings"; page: SettingsPage; part: SyncPart };

export type Overlay = "palette" | "shortcuts" | "find" | null;

type State = { view: View; overlay: Overlay; searchText: string; sidebarOpen: boolean; modelPickerOpen: boolean };

let state: State = {
  view: { at: "chat", id: null, target: null, visit: 0 },
  overlay: null,
  searchText: "",
  sidebarOpen: true,
  modelPickerOpen: false,
};
const listeners = new Set<() => void>();

function set(change: Partial<State>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** A part of the state; the component is drawn again when that part changes. */
export function useView<T>(select: (state: State) => T): T {
  return useSyncExternalStore(subscribe, () => select(state));
}

/** The state now, for handlers. */
export const currentView = (): Readonly<State> => state;

let visits = 0;
export const show = {
  chat: (id: ConversationId | null, target: MessageId | null = null) =>
    set({ view: { at: "chat", id, target, visit: ++visits }, overlay: null, ...(narrow() && { sidebarOpen: false }) }),
  search: (text: string) => set({ view: { at: "search" }, searchText: text, overlay: null }),
  archive: () => set({ view: { at: "archive" }, overlay: null, ...(narrow() && { sidebarOpen: false }) }),
  trash: () => set({ view: { at: "trash" }, overlay: null, ...(narrow() && { sidebarOpen: false }) }),
  settings: (page: SettingsPage = "general", part: SyncPart = "parked") =>
    set({ view: { at: "settings", page, part }, overlay: null, ...(narrow() && { sidebarOpen: false }) }),
  overlay: (overlay: Overlay) => set({ overlay }),
  sidebar: (open: boolean) => set({ sidebarOpen: open }),
  modelPicker: (open: boolean) => set({ modelPickerOpen: open }),
};

/** Below this width the sidebar is a drawer over the thread. */
export const NARROW = "(max-width: 899px)";
export const narrow = () => window.matchMedia(NARROW).matches;

/** Whether the window is narrow now. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = window.matchMedia(NARROW);
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => narrow(),
  );
}
