import { describe, expect, it } from "vitest";
import type { ModelInfo, ProviderConfig } from "../../bridge";
import { checkProvider, hasMoved, idFrom, isFine, isNear, isPlain, union } from "./provider";

const config = (change: Partial<ProviderConfig> = {}): ProviderConfig => ({
  id: "groq",
  kind: "openai",
  name: "Groq",
  base_url: "https://api.groq.com/openai/v1",
  ca_file: null,
  models: [],
  ...change,
});
const model = (id: string, name = ""): ModelInfo => ({ id, name, context_tokens: null, price_in_micros: null, price_out_micros: null });

describe("checkProvider", () => {
  it("takes what is complete", () => {
    expect(isFine(checkProvider(config(), []))).toBe(true);
  });

  it("refuses a short name that is taken, misshapen or the computer's own", () => {
    for (const id of ["", "local", "Groq", "a b", "a".repeat(41)]) expect(checkProvider(config({ id }), []).id, id).not.toBeNull();
    expect(checkProvider(config(), ["groq"]).id).not.toBeNull();
  });

  it("refuses an address with a secret in it, or of another kind", () => {
    for (const base_url of ["", "api.groq.com", "ftp://a.b", "javascript:alert(1)", "https://me:key@a.b/v1"]) {
      expect(checkProvider(config({ base_url }), []).base_url, base_url).not.toBeNull();
    }
  });
});

describe("idFrom", () => {
  it("makes a short name that the core takes, whatever the name is", () => {
    for (const name of ["My Server 2", "Über", "模型", "local", "-- --", "x".repeat(80)]) {
      expect(checkProvider(config({ id: idFrom(name, []) }), []).id, name).toBeNull();
    }
    expect(idFrom("My Server 2", [])).toBe("my-server-2");
  });

  it("counts on where the name is taken", () => {
    expect(idFrom("Groq", ["groq", "groq-2"])).toBe("groq-3");
  });
});

describe("addresses", () => {
  it("know what is near", () => {
    for (const near of ["http://127.0.0.1:11434/v1", "http://localhost:1234", "http://192.168.1.5/v1", "http://[::1]:8080", "http://box.local/v1"]) expect(isNear(near), near).toBe(true);
    for (const far of ["https://api.groq.com", "http://127.0.0.1.evil.example", "http://10.evil.example", "nonsense"]) expect(isNear(far), far).toBe(false);
  });

  it("warn of plain http only where others can listen", () => {
    expect(isPlain("http://models.example.org/v1")).toBe(true);
    expect(isPlain("http://127.0.0.1:8080/v1")).toBe(false);
    expect(isPlain("https://models.example.org/v1")).toBe(false);
  });

  it("notice a move to another place, not to another path", () => {
    expect(hasMoved("https://a.example/v1", "https://a.example/v2")).toBe(false);
    expect(hasMoved("https://a.example/v1", "https://b.example/v1")).toBe(true);
    expect(hasMoved("https://a.example/v1", "http://a.example/v1")).toBe(true);
  });
});

describe("union", () => {
  it("holds each model once and keeps a name that the server does not tell", () => {
    expect(union([model("a", "A"), model("b")], [model("b", "B"), model("a"), model("c")])).toEqual([model("a", "A"), model("b", "B"), model("c")]);
  });
});
