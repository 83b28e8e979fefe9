/** Listens to the whole window's keys and does what they stand for. */
import { useEffect } from "react";
import { undo } from "../store/undo";
import { currentView, show } from "../store/view";
import { pressed, SHORTCUTS, type ShortcutId, shortcutFor } from "./registry";

type Handler = () => boolean | undefined;
const handlers = new Map<ShortcutId, Handler>();

/** Does something for a shortcut while the component is there; `false` lets the key through. */
export function useShortcut(id: ShortcutId, handler: Handler): void {
  useEffect(() => {
    handlers.set(id, handler);
    return () => {
      if (handlers.get(id) === handler) handlers.delete(id);
    };
  }, [id, handler]);
}

/** Runs a shortcut from elsewhere, such as the palette. */
export const runShortcut = (id: ShortcutId): boolean => handlers.get(id)?.() !== false && handlers.has(id);

/** Whether a shortcut would do something now. */
export const canRun = (id: ShortcutId): boolean => handlers.has(id);

const ours: Partial<Record<ShortcutId, Handler>> = {
  newChat: () => {
    show.chat(null);
    focusComposer();
    return true;
  },
  composer: () => focusComposer(),
  palette: () => {
    show.overlay(currentView().overlay === "palette" ? null : "palette");
    return true;
  },
  searchAll: () => {
    show.sidebar(true);
    requestAnimationFrame(() => document.querySelector<HTMLInputElement>('.sidebar input[type="search"]')?.focus());
    return true;
  },
  settings: () => {
    show.settings();
    return true;
  },
  shortcuts: () => {
    show.overlay(currentView().overlay === "shortcuts" ? null : "shortcuts");
    return true;
  },
  sidebar: () => {
    show.sidebar(!currentView().sidebarOpen);
    return true;
  },
  undo: () => {
    undo(null);
    return true;
  },
  nextRegion: () => nextRegion(),
};

/** The window's own shortcuts, and those that views have claimed. */
export function useShortcuts(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const keys = pressed(event);
      // An empty field has nothing of its own to take back: what was done before has.
      const typing = isTyping(event.target) && !(keys === SHORTCUTS.undo.keys && isEmpty(event.target));
      const id = shortcutFor(keys, typing);
      if (id === null) return;
      const handler = handlers.get(id) ?? ours[id];
      if (handler !== undefined && handler() !== false) event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  useEffect(() => {
    for (const [id, handler] of Object.entries(ours)) if (!handlers.has(id as ShortcutId)) handlers.set(id as ShortcutId, handler);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLTextAreaElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button"].includes(target.type);
}

const isEmpty = (target: EventTarget | null): boolean =>
  (target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement) && target.value === "";

function focusComposer(): boolean {
  requestAnimationFrame(() => document.querySelector<HTMLTextAreaElement>("textarea.composer-text")?.focus());
  return true;
}

/** Sidebar, thread, composer and round again. */
function nextRegion(): boolean {
  const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")];
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const region = regions[(at + 1) % regions.length];
  if (region === undefined) return false;
  const inside = region.matches("[tabindex]") ? region : region.querySelector<HTMLElement>("textarea, button, [href], input, [tabindex]");
  inside?.focus();
  return true;
}
