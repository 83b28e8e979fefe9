import { describe, expect, it } from "vitest";
import { sends } from "./sends";

const enter = (more: object = {}) => ({
  key: "Enter", keyCode: 13, shiftKey: false, altKey: false, ctrlKey: false, metaKey: false, nativeEvent: { isComposing: false }, ...more,
});

describe("sends", () => {
  it("sends with Enter alone, unless the person chose Ctrl and Enter", () => {
    expect(sends(enter(), "enter")).toBe(true);
    expect(sends(enter(), "mod_enter")).toBe(false);
    expect(sends(enter({ ctrlKey: true }), "mod_enter")).toBe(true);
    expect(sends(enter({ metaKey: true }), "mod_enter")).toBe(true);
  });

  it("begins a new line with Shift, whatever the setting", () => {
    expect(sends(enter({ shiftKey: true }), "enter")).toBe(false);
    expect(sends(enter({ shiftKey: true, ctrlKey: true }), "mod_enter")).toBe(false);
  });

  it("leaves Enter to an input method that is composing", () => {
    expect(sends(enter({ nativeEvent: { isComposing: true } }), "enter")).toBe(false);
    // WebKit ends the composition before the key comes; only the code 229 still tells.
    expect(sends(enter({ keyCode: 229 }), "enter")).toBe(false);
  });
});
