import { describe, expect, it } from "vitest";
import { addressOf, check, EMPTY, hostOf, isFine } from "./entry";

const whole = { ...EMPTY, url: "https://example.supabase.co", anonKey: "key", email: "ann@example.com", password: "a password" };

describe("what is typed", () => {
  it("can be sent when nothing is missing", () => {
    expect(isFine(check("sign_in", whole, false))).toBe(true);
    expect(isFine(check("sign_up", whole, false))).toBe(true);
  });

  it("needs no project where one is known", () => {
    const fields = { ...whole, url: "", anonKey: "" };
    expect(check("sign_in", fields, true)).toEqual({});
    expect(Object.keys(check("sign_in", fields, false))).toEqual(["url", "anonKey"]);
  });

  it("needs a password except where one is forgotten, and a code to set another", () => {
    const fields = { ...whole, password: "" };
    expect(Object.keys(check("sign_in", fields, true))).toEqual(["password"]);
    expect(check("forgot", fields, true)).toEqual({});
    expect(Object.keys(check("code", fields, true))).toEqual(["password", "code"]);
  });

  it("keeps a password exactly, spaces too", () => {
    expect(check("sign_in", { ...whole, password: " " }, true)).toEqual({});
  });
});

it("a key that was pasted with its line's end is one word", () => {
  expect(addressOf({ url: " https://example.supabase.co ", anonKey: "abc\ndef\n", caFile: " " })).toEqual({
    url: "https://example.supabase.co",
    anon_key: "abcdef",
    ca_file: null,
  });
});

it("a project is called by its host", () => {
  expect(hostOf("https://example.supabase.co/")).toBe("example.supabase.co");
  expect(hostOf("http://127.0.0.1:54321")).toBe("127.0.0.1:54321");
  expect(hostOf("not an address")).toBe("not an address");
});
