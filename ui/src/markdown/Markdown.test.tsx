// @vitest-environment jsdom
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Markdown } from "./Markdown";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let root: Root;
let page: HTMLElement;

beforeEach(() => {
  page = document.body.appendChild(document.createElement("div"));
  root = createRoot(page);
});
afterEach(() => {
  act(() => root.unmount());
  page.remove();
});

type Props = Parameters<typeof Markdown>[0];

function show(source: string, props: Partial<Props> = {}): void {
  act(() => root.render(<Markdown source={source} streaming={false} {...props} />));
}

function find(selector: string): HTMLElement {
  const element = page.querySelector<HTMLElement>(selector);
  if (!element) throw new Error(`nothing matches ${selector} in ${page.innerHTML}`);
  return element;
}

/** Waits for what comes in a task of its own; outside `act`, as it does in the app. */
async function later(check: () => void): Promise<void> {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  await vi.waitFor(check, { timeout: 20_000, interval: 20 });
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
}

describe("links", () => {
  it("ask the app to open them, on a click and on a middle click, and never navigate", () => {
    const openLink = vi.fn();
    show("[x](https://example.org)", { openLink });
    const click = new MouseEvent("click", { bubbles: true, cancelable: true });
    find("a").dispatchEvent(click);
    const middle = new MouseEvent("auxclick", { bubbles: true, cancelable: true, button: 1 });
    find("a").dispatchEvent(middle);
    expect([click.defaultPrevented, middle.defaultPrevented]).toEqual([true, true]);
    expect(openLink.mock.calls).toEqual([["https://example.org/"], ["https://example.org/"]]);
  });

  it("that may not be opened are text with the address visible", () => {
    show("[click me](javascript:alert(1))");
    expect(page.querySelector("a")).toBeNull();
    expect(page.textContent).toContain("click me (javascript:alert(1))");
  });

  it("say where they lead when their text names another host", () => {
    show("[https://bank.example](https://evil.example)");
    expect(page.textContent).toContain("(evil.example)");
  });
});

describe("pictures", () => {
  it("wait for a click, which goes to the app", () => {
    const onLoadImage = vi.fn();
    show("![A curve](https://example.org/c.png)", { onLoadImage });
    expect(page.querySelector("img")).toBeNull();
    act(() => find(".md-image-load").click());
    expect(onLoadImage).toHaveBeenCalledWith("https://example.org/c.png");
  });

  it("show their address when the app cannot load them", () => {
    show("![A curve](https://example.org/c.png)");
    act(() => find(".md-image-load").click());
    expect(page.textContent).toContain("https://example.org/c.png");
  });
});

describe("structure", () => {
  it("an answer's first heading is not the page's", () => {
    show("# One\n\n###### Six");
    expect(page.querySelector("h1, h2")).toBeNull();
    expect(find("h3").textContent).toBe("One");
  });

  it("raw HTML is text, apart from bare br, sub and sup", () => {
    show('<b onclick="x">bold</b> C<sub>max</sub> a<br>b\n\n<div>raw</div>');
    expect(page.querySelector("b")).toBeNull();
    expect(page.textContent).toContain('<b onclick="x">bold</b>');
    expect(page.textContent).toContain("<div>raw</div>");
    expect(find("sub").textContent).toBe("max");
    expect(page.querySelectorAll("br")).toHaveLength(1);
  });

  it("footnotes are numbered by first use and lead there and back", () => {
    show("b[^b] a[^a] b[^b]\n\n[^a]: Note A\n[^b]: Note B");
    expect([...page.querySelectorAll(".md-note-ref")].map((ref) => ref.textContent)).toEqual(["1", "2", "1"]);
    expect([...page.querySelectorAll(".md-notes li p")].map((note) => note.textContent)).toEqual(["Note B", "Note A"]);
  });

  it("a table is a named region that the keyboard reaches, and its rows are as wide as its head", () => {
    show("| Drug | F |\n|---|---|\n| P | 26 % | extra |\n| A |");
    expect(find("[role=region]").getAttribute("aria-label")).toBe("Table: Drug, F");
    expect(find("[role=region]").tabIndex).toBe(0);
    expect([...page.querySelectorAll("tbody tr")].map((row) => row.children.length)).toEqual([2, 2]);
  });

  it("units are joined in text and left alone in code", () => {
    show("take 5 mg and **5** mg, not `5 mg`");
    expect(find("p").textContent).toBe("take 5\u00a0mg and 5\u00a0mg, not 5 mg");
  });

  it("a range stays in one line with its unit, and a quantity keeps its order in Arabic", () => {
    show("about 3–6 h long");
    expect(find(".md-together").textContent).toBe("3–6\u00a0h");
    show("الجرعة 5 mg يوميا");
    expect(find("bdi[dir=ltr]").textContent).toBe("5\u00a0mg");
  });

  it("a direction override is fenced in text and named in code", () => {
    show("a \u202eb\n\n`x\u202ey`");
    expect(find("p bdi").textContent).toBe("a \u202eb\u202c");
    expect(find(".md-control").textContent).toBe("U+202E");
  });
});

describe("while it streams", () => {
  it("settled elements stay the same elements", () => {
    show("# One\n\npara\n\n- a\n", { streaming: true });
    const [heading, para] = [find("h3"), find("p")];
    show("# One\n\npara\n\n- a\n- b\n\nmore", { streaming: true });
    show("# One\n\npara\n\n- a\n- b\n\nmore text");
    expect(find("h3")).toBe(heading);
    expect(find("p")).toBe(para);
  });

  it("code gets its colours when it settles, not before", async () => {
    show("```js\nlet a = 1;", { streaming: true });
    await act(() => new Promise((resolve) => setTimeout(resolve, 50)));
    expect(page.querySelector("[class^=hljs]")).toBeNull();
    show("```js\nlet a = 1;\n```\n", { streaming: true });
    await later(() => expect(page.querySelector(".hljs-keyword")?.textContent).toBe("let"));
    expect(find("pre code").textContent).toBe("let a = 1;");
  }, 20_000);

  it("new callbacks reach old links", () => {
    const later = vi.fn();
    show("[x](https://example.org)\n\nend", { openLink: vi.fn() });
    show("[x](https://example.org)\n\nend", { openLink: later });
    act(() => find("a").click());
    expect(later).toHaveBeenCalledOnce();
  });

  it("a giant text is read a piece at a time, and in the end all of it", async () => {
    const giant = Array.from({ length: 9_000 }, (_, index) => `Paragraph ${index} of **many**.\n\n`).join("");
    show(giant);
    const first = page.querySelectorAll("p").length;
    expect(first).toBeGreaterThan(500);
    expect(first).toBeLessThan(3_000);
    await later(() => expect(page.querySelectorAll("p")).toHaveLength(9_000));
  }, 30_000);

  it("copying turns joined units back into ordinary blanks", () => {
    show("take 5 mg now");
    const range = document.createRange();
    range.selectNodeContents(find("p"));
    document.getSelection()?.removeAllRanges();
    document.getSelection()?.addRange(range);
    const kept = new Map<string, string>();
    const copy = Object.assign(new Event("copy", { bubbles: true, cancelable: true }), {
      clipboardData: { setData: (type: string, value: string) => kept.set(type, value) },
    });
    find("p").dispatchEvent(copy);
    expect(kept.get("text/plain")).toBe("take 5 mg now");
    expect(kept.get("text/html")).not.toMatch(/\u00a0|&nbsp;/);
  });
});
