// @vitest-environment jsdom
import { renderToStaticMarkup } from "react-dom/server";
import { beforeAll, describe, expect, it } from "vitest";
import { loadFormulas } from "./formula";
import { CANARY, HOSTILE, HOSTILE_URLS } from "./hostile.fixture";
import { safeLink } from "./links";
import { Markdown } from "./Markdown";

const ELEMENTS = new Set(
  ("div p h3 h4 h5 h6 strong em del sub sup code pre br a bdi span button figure figcaption blockquote ul ol li input hr table thead tbody tr th td section " +
    "svg path line math semantics annotation mtext mn mo mi mspace mover munder munderover msup msub msubsup mfrac mroot msqrt mtable mtr mtd mrow menclose mstyle mpadded mphantom").split(" "),
);
const FORBIDDEN_ATTRIBUTE = /^(?:on|src|srcset|srcdoc|data|action|formaction|poster|background|xlink|ping|target|download|http-equiv)/;

/** Every reason why the drawn text is not inert; an empty list is what every hostile text must give. */
function findings(source: string): string[] {
  const page = new DOMParser().parseFromString(renderToStaticMarkup(<Markdown source={source} streaming={false} />), "text/html");
  return [...page.body.querySelectorAll("*")].flatMap((element) => {
    const tag = element.tagName.toLowerCase();
    const bad = ELEMENTS.has(tag) ? [] : [`<${tag}>`];
    for (const { name, value } of element.attributes) {
      if (FORBIDDEN_ATTRIBUTE.test(name)) bad.push(`${tag} ${name}`);
      if (name === "style" && /url\(|expression|@import|\\/i.test(value)) bad.push(`${tag} style=${value}`);
      if (name === "href" && (tag !== "a" || !/^(?:https:\/\/|mailto:)/.test(value))) bad.push(`${tag} href=${value}`);
      if (name === "style" && /\d{4,}em/.test(value)) bad.push(`${tag} is enormous: ${value}`);
    }
    return bad;
  });
}

describe("hostile Markdown is inert", () => {
  beforeAll(loadFormulas);

  it.each(HOSTILE.map((source) => [source]))("%j", (source) => {
    expect(findings(source)).toEqual([]);
  });

  it("all of it in one answer, and cut anywhere while it streams", () => {
    expect(findings(HOSTILE.join("\n\n"))).toEqual([]);
    const all = HOSTILE.slice(0, 60).join("\n\n");
    for (let cut = 1; cut < all.length; cut += 97) expect(findings(all.slice(0, cut))).toEqual([]);
  }, 60_000);

  it("never asks for an image: the canary's address is only ever text, a link or a button's name", () => {
    const markup = renderToStaticMarkup(<Markdown source={`![a](https://${CANARY}/p.png)`} streaming={false} />);
    expect(markup).toContain(`Open image from ${CANARY}`);
    expect(markup).not.toContain("/p.png");
  });

  it("the check itself sees what it must see", () => {
    const page = new DOMParser().parseFromString('<img src="x">', "text/html");
    expect(ELEMENTS.has(page.images[0]?.tagName.toLowerCase() ?? "img")).toBe(false);
    expect(FORBIDDEN_ATTRIBUTE.test("onerror")).toBe(true);
  });
});

describe("safeLink", () => {
  it.each(HOSTILE_URLS.map((url) => [url]))("refuses %j", (url) => expect(safeLink(url)).toBeNull());

  it.each([
    ["https://example.org", "https://example.org/"],
    ["HTTPS://Example.org/a?b=c#d", "https://example.org/a?b=c#d"],
    ["https://exämple.org/", "https://xn--exmple-cua.org/"],
    ["mailto:ann@example.org?subject=Hi", "mailto:ann@example.org?subject=Hi"],
  ])("opens %j as %j", (url, href) => expect(safeLink(url)).toBe(href));
});
