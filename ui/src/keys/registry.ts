/** Every shortcut: what it is called, which keys, where. The sheet, the palette and the tooltips read it. */
import { text } from "../text";

export type ShortcutId = keyof typeof SHORTCUTS;
type Shortcut = {
  /** `mod` is Ctrl, or Cmd on a Mac. */
  keys: string;
  label: string;
  group: "chat" | "find" | "app";
  /** Whether it also works while text is typed. */
  whileTyping: boolean;
};

const chat = (keys: string, label: string, whileTyping = true): Shortcut => ({ keys, label, group: "chat", whileTyping });
const find = (keys: string, label: string): Shortcut => ({ keys, label, group: "find", whileTyping: true });
const app = (keys: string, label: string, whileTyping = true): Shortcut => ({ keys, label, group: "app", whileTyping });

export const SHORTCUTS = {
  newChat: chat("mod+n", text.keys.newChat),
  composer: chat("mod+l", text.keys.composer),
  stop: chat("escape", text.keys.stop),
  editLast: chat("arrowup", text.keys.editLast, false),
  copyAnswer: chat("mod+shift+c", text.keys.copyAnswer),
  regenerate: chat("mod+shift+r", text.keys.regenerate),
  previousMessage: chat("alt+arrowup", text.keys.previousMessage),
  nextMessage: chat("alt+arrowdown", text.keys.nextMessage),
  previousBranch: chat("alt+arrowleft", text.keys.previousBranch),
  nextBranch: chat("alt+arrowright", text.keys.nextBranch),
  palette: find("mod+k", text.keys.palette),
  findInChat: find("mod+f", text.keys.findInChat),
  searchAll: find("mod+shift+f", text.keys.searchAll),
  undo: app("mod+z", text.keys.undo, false),
  sidebar: app("mod+b", text.keys.sidebar),
  settings: app("mod+,", text.keys.settings),
  shortcuts: app("mod+/", text.keys.shortcuts),
  nextRegion: app("f6", text.keys.nextRegion),
} as const satisfies Record<string, Shortcut>;

export const isMac = typeof navigator !== "undefined" && /mac/i.test(navigator.platform);

/** What a key press is called: modifiers in one order, then the key. */
export function pressed(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">, mac = isMac): string {
  const parts: string[] = [];
  if (mac ? event.metaKey : event.ctrlKey) parts.push("mod");
  if (event.altKey) parts.push("alt");
  if (event.shiftKey && event.key !== "/" && event.key !== "?") parts.push("shift");
  parts.push(event.key === "?" ? "/" : event.key.toLowerCase());
  return parts.join("+");
}

/** The shortcut of a key press; none while text is typed, unless it works there. */
export function shortcutFor(keys: string, typing: boolean): ShortcutId | null {
  for (const [id, shortcut] of Object.entries(SHORTCUTS)) {
    if (shortcut.keys === keys && (!typing || shortcut.whileTyping)) return id as ShortcutId;
  }
  return null;
}

const MAC: Record<string, string> = { mod: "⌘", alt: "⌥", shift: "⇧" };
const OTHER: Record<string, string> = { mod: "Ctrl", alt: "Alt", shift: "⇧" };
const KEYS: Record<string, string> = { arrowup: "↑", arrowdown: "↓", arrowleft: "←", arrowright: "→", escape: "Esc", enter: "Enter", f6: "F6" };

/** Keys as this system writes them. */
export function shownKeys(keys: string, mac = isMac): string {
  const names = keys.split("+").map((key) => (mac ? MAC : OTHER)[key] ?? KEYS[key] ?? key.toUpperCase());
  return names.join(mac ? "" : " ");
}
