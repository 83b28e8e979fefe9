// The project under test, and people in it.

import { randomBytes } from "node:crypto";
import { after } from "node:test";

import { createClient } from "@supabase/supabase-js";
import { WebSocket as Ws } from "ws";

const need = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: cargo nextest run -p tidemark-tests stack`);
  return value;
};

export const url = need("SUPABASE_URL");
export const anonKey = need("SUPABASE_ANON_KEY");
export const serviceKey = need("SUPABASE_SERVICE_ROLE_KEY");
/** For so long after its use a refresh token may fork its chain. */
export const reuseIntervalMs = Number(process.env.CONFORMANCE_REUSE_INTERVAL_MS ?? 10_000);
/** Options of a test that needs `fixture.sql` in the database. */
export const withFixture = {
  skip: process.env.CONFORMANCE_FIXTURE ? false : "fixture.sql is not in this project",
};

/** A client of its own, that keeps its session in memory. Node 20 has no WebSocket. */
export function client(key = anonKey, options = {}) {
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    realtime: { transport: globalThis.WebSocket ?? Ws },
    ...options,
  });
}

export const admin = client(serviceKey);
const made = [];
after(async () => {
  for (const id of made) await admin.auth.admin.deleteUser(id);
});

export const someone = () => `conformance-${randomBytes(6).toString("hex")}@example.com`;

/** Remembers somebody, who is deleted at the end. */
export function remember(user) {
  made.push(user.id);
  return user;
}

/** Somebody new, signed in. */
export async function person() {
  const supabase = client();
  const credentials = { email: someone(), password: `pw-${randomBytes(6).toString("hex")}` };
  const { data, error } = await supabase.auth.signUp(credentials);
  if (error) throw error;
  remember(data.user);
  return { supabase, ...credentials, user: data.user, session: data.session };
}

/** The same person on another device. */
export async function alsoSignedIn({ email, password }) {
  const supabase = client();
  const { data, error } = await supabase.auth.signInWithPassword({ email, password });
  if (error) throw error;
  return { supabase, email, password, user: data.user, session: data.session };
}

/** Asks without a client, in the newer form of errors unless told otherwise. */
export async function ask(method, path, { body, token, key = anonKey, old = false } = {}) {
  const headers = { "Content-Type": "application/json" };
  if (key) headers.apikey = key;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (!old) headers["X-Supabase-Api-Version"] = "2024-01-01";
  const response = await fetch(url + path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

export const refresh = (token) =>
  ask("POST", "/auth/v1/token?grant_type=refresh_token", { body: { refresh_token: token } });

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
