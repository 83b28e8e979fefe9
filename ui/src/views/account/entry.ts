/** What is typed to enter an account, and whether it can be sent: pure. */
import type { ProjectAddress } from "../../bridge";
import { text } from "../../text";

/** What the form is for. */
export type Step = "sign_in" | "sign_up" | "forgot" | "code";

/** The project's fields, as they are typed. */
export type Place = { url: string; anonKey: string; caFile: string };

export type Fields = Place & { email: string; password: string; code: string };

export const EMPTY: Fields = { url: "", anonKey: "", caFile: "", email: "", password: "", code: "" };

export type Errors = Partial<Record<keyof Fields | "consent", string>>;

const words = text.account.check;

/** What is missing; the core says what is wrong beyond that. */
export function check(step: Step, fields: Fields, knowsProject: boolean): Errors {
  const errors: Errors = {};
  if (!knowsProject) {
    if (!/^https?:\/\/\S+$/.test(fields.url.trim())) errors.url = words.url;
    if (fields.anonKey.trim() === "") errors.anonKey = words.anonKey;
  }
  if (!/^\S+@\S+$/.test(fields.email.trim())) errors.email = words.email;
  if (step !== "forgot" && fields.password === "") errors.password = words.password;
  if (step === "code" && fields.code.trim() === "") errors.code = words.code;
  return errors;
}

export const isFine = (errors: Errors): boolean => Object.keys(errors).length === 0;

/** The project as it goes to the core; what was pasted may have a line's end. */
export function addressOf({ url, anonKey, caFile }: Place): ProjectAddress {
  return { url: url.trim(), anon_key: anonKey.replace(/\s+/g, ""), ca_file: caFile.trim() || null };
}

/** `example.supabase.co`: a project as a person reads it. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
