import { describe, expect, it } from "vitest";
import { balanceBidi } from "./bidi";
import { toCsv } from "./csv";
import { disguisedHost } from "./links";
import { joinUnits } from "./units";

const visible = (text: string) => joinUnits(text, false).replaceAll("\u00a0", "_");

describe("a unit never breaks from its number", () => {
  it.each([
    ["5 mg", "5_mg"],
    ["26 ± 10 %", "26_±_10_%"],
    ["37 °C", "37_°C"],
    ["0.5 mL/kg/h", "0.5_mL/kg/h"],
    ["5\nmg", "5_mg"],
    ["10 000 mg and 1,200.5 ng/mL.", "10_000_mg and 1,200.5_ng/mL."],
    ["5–10 mg, 5 – 10 mg", "5–10_mg, 5_–_10_mg"],
    ["80 mmHg, 70 kg/m², 3 days", "80_mmHg, 70_kg/m², 3_days"],
    ["p < 0.05 (≥ 65 years)", "p <_0.05 (≥_65_years)"],
  ])("%j → %j", (text, joined) => expect(visible(text)).toBe(joined));

  it.each([["5 million"], ["2024 has come"], ["no 5 manners"], ["5 models"], ["5 Mein"], ["a b"], ["in 3 gulps"]])("%j stays", (text) =>
    expect(visible(text)).toBe(text),
  );

  it("reaches a number in the element before", () => {
    expect(joinUnits(" mg daily", true)).toBe("\u00a0mg daily");
    expect(joinUnits(" mg daily", false)).toBe(" mg daily");
  });

  it("is quick on a long line of numbers", () => {
    const start = performance.now();
    joinUnits("1 2 3 ".repeat(20_000), false);
    joinUnits("1.1,1".repeat(20_000), false);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe("direction controls", () => {
  it("are closed where they are left open, and dropped where they close nothing", () => {
    expect(balanceBidi("a\u202eb")).toBe("a\u202eb\u202c");
    expect(balanceBidi("\u2069a\u202cb")).toBe("ab");
    expect(balanceBidi("\u2066\u202ex")).toBe("\u2066\u202ex\u202c\u2069");
    expect(balanceBidi("\u2066x\u2069")).toBe("\u2066x\u2069");
  });
});

describe("CSV", () => {
  const cell = (value: string) => [{ type: "text" as const, value }];

  it("quotes what RFC 4180 asks for and ends lines with CRLF", () => {
    expect(toCsv([[cell("a,b"), cell('say "hi"')], [cell("x"), cell("1\n2")]])).toBe('"a,b","say ""hi"""\r\nx,"1\n2"\r\n');
  });

  it("makes formulas inert and leaves numbers alone", () => {
    const csv = toCsv([[cell("=1+1"), cell("@x"), cell("-5"), cell("-5.2 %"), cell("-cmd|x"), cell("+49 171")]]);
    expect(csv).toBe("'=1+1,'@x,-5,-5.2 %,'-cmd|x,'+49 171\r\n");
  });
});

describe("a link whose text names another host", () => {
  it.each([
    ["https://bank.example", "https://evil.example/", "evil.example"],
    ["bank.example", "https://evil.example/", "evil.example"],
    ["www.x.org/a", "https://x.org/a", null],
    ["the label", "https://x.org/", null],
    ["CYP2D6", "https://x.org/", null],
  ])("%j → %j shows %j", (text, href, host) => expect(disguisedHost(text, href)).toBe(host));
});
