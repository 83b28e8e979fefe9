import { describe, expect, it } from "vitest";
import { pressed, SHORTCUTS, shortcutFor, shownKeys } from "./registry";

const press = (key: string, held: Partial<Record<"ctrlKey" | "metaKey" | "shiftKey" | "altKey", boolean>> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...held,
});

describe("shortcuts", () => {
  it("are told apart: no two share their keys", () => {
    const all = Object.values(SHORTCUTS).map((shortcut) => shortcut.keys);
    expect(new Set(all).size).toBe(all.length);
  });

  it("take Ctrl here and Cmd on a Mac", () => {
    expect(pressed(press("k", { ctrlKey: true }), false)).toBe("mod+k");
    expect(pressed(press("k", { metaKey: true }), true)).toBe("mod+k");
    expect(pressed(press("k", { ctrlKey: true }), true)).toBe("k");
  });

  it("are found with Shift, whichever case the key then has", () => {
    expect(shortcutFor(pressed(press("F", { ctrlKey: true, shiftKey: true }), false), true)).toBe("searchAll");
  });

  it("leave undo and the arrow to the text that is typed", () => {
    expect(shortcutFor("mod+z", true)).toBeNull();
    expect(shortcutFor("mod+z", false)).toBe("undo");
    expect(shortcutFor("arrowup", true)).toBeNull();
  });

  it("are written as the system writes them", () => {
    expect(shownKeys("mod+shift+f", false)).toBe("Ctrl ⇧ F");
    expect(shownKeys("mod+shift+f", true)).toBe("⌘⇧F");
  });
});
