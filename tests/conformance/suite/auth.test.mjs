import assert from "node:assert/strict";
import { test } from "node:test";

import { admin, alsoSignedIn, ask, client, person, refresh, serviceKey, someone } from "./project.mjs";

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

test("a sign-up answers with a session and a whole user", async () => {
  const { user, session, email } = await person();
  assert.equal(user.email, email);
  assert.equal(user.role, "authenticated");
  assert.equal(user.phone, "");
  assert.equal(user.is_anonymous, false);
  assert.deepEqual(user.app_metadata, { provider: "email", providers: ["email"] });
  assert.equal(user.identities.length, 1);
  assert.equal(user.identities[0].provider, "email");
  assert.equal(user.identities[0].id, user.id);
  assert.ok(user.email_confirmed_at && user.confirmed_at && user.last_sign_in_at);
  assert.equal(session.token_type, "bearer");
  const said = claims(session.access_token);
  assert.equal(said.sub, user.id);
  assert.equal(said.aud, "authenticated");
  assert.equal(said.role, "authenticated");
  assert.equal(said.aal, "aal1");
  assert.equal(said.amr[0].method, "password");
  assert.match(said.session_id, /^[0-9a-f-]{36}$/);
  assert.equal(said.exp, session.expires_at);
  assert.equal(said.exp - said.iat, session.expires_in);
});

test("an address is one in any case, and taken once", async () => {
  const { email, password } = await person();
  const { error } = await client().auth.signUp({ email: email.toUpperCase(), password });
  assert.equal(error.code, "user_already_exists");
  assert.equal(error.status, 422);
  const again = await alsoSignedIn({ email: email.toUpperCase(), password });
  assert.equal(again.user.email, email);
});

test("a wrong password and an unknown address are told apart by nobody", async () => {
  const { email } = await person();
  const answers = [];
  for (const who of [email, someone()]) {
    const { error } = await client().auth.signInWithPassword({ email: who, password: "not this" });
    answers.push([error.code, error.status, error.message]);
  }
  assert.deepEqual(answers[0], answers[1]);
  assert.deepEqual(answers[0].slice(0, 2), ["invalid_credentials", 400]);
});

test("a weak password is refused with what it lacks", async () => {
  const { error } = await client().auth.signUp({ email: someone(), password: "short" });
  assert.equal(error.name, "AuthWeakPasswordError");
  assert.equal(error.code, "weak_password");
  assert.equal(error.status, 422);
  assert.deepEqual(error.reasons, ["length"]);
});

test("what is no address, no password or no JSON is refused as such", async () => {
  const refused = async (body) => (await ask("POST", "/auth/v1/signup", { body })).json.code;
  assert.equal(await refused({ email: "nobody", password: "long enough" }), "validation_failed");
  assert.equal(await refused({ email: someone() }), "validation_failed");
  const none = await ask("POST", "/auth/v1/token?grant_type=password");
  assert.deepEqual([none.status, none.json.code], [400, "bad_json"]);
});

test("the code of an error is a text in the newer form and a number in the older", async () => {
  const body = { email: someone(), password: "not this" };
  const path = "/auth/v1/token?grant_type=password";
  const now = await ask("POST", path, { body });
  assert.equal(now.json.code, "invalid_credentials");
  assert.equal(now.headers.get("x-supabase-api-version"), "2024-01-01");
  const then = await ask("POST", path, { body, old: true });
  assert.equal(then.json.code, 400);
  assert.equal(then.json.error_code, "invalid_credentials");
  assert.equal(typeof then.json.msg, "string");
  assert.equal(then.headers.get("x-supabase-api-version"), null);
});

test("a request without a key, or with another, goes no further than the gateway", async () => {
  assert.equal((await ask("GET", "/auth/v1/settings", { key: null })).status, 401);
  assert.equal((await ask("GET", "/rest/v1/", { key: "sb_publishable_other" })).status, 401);
  assert.equal((await ask("GET", "/auth/v1/.well-known/jwks.json", { key: null })).status, 200);
});

test("a user is told by its token, and a key is nobody's", async () => {
  const { supabase, user, session } = await person();
  const { data } = await supabase.auth.getUser();
  assert.equal(data.user.id, user.id);
  const verified = await supabase.auth.getClaims(session.access_token);
  assert.equal(verified.data.claims.sub, user.id);
  const asKey = await ask("GET", "/auth/v1/user");
  assert.deepEqual([asKey.status, asKey.json.code], [403, "bad_jwt"]);
  const broken = await ask("GET", "/auth/v1/user", { token: session.access_token.slice(0, -4) });
  assert.deepEqual([broken.status, broken.json.code], [403, "bad_jwt"]);
});

test("metadata merges key by key, a null deletes, and app_metadata is not the person's", async () => {
  const { supabase, session } = await person();
  await supabase.auth.updateUser({ data: { name: "Ann", color: "red" } });
  const { data } = await supabase.auth.updateUser({ data: { color: null, size: 3 } });
  assert.equal(data.user.user_metadata.name, "Ann");
  assert.equal(data.user.user_metadata.size, 3);
  assert.ok(!("color" in data.user.user_metadata));
  const body = { app_metadata: { role: "admin" } };
  const refused = await ask("PUT", "/auth/v1/user", { body, token: session.access_token });
  assert.deepEqual([refused.status, refused.json.code], [403, "not_admin"]);
});

test("a new password ends every other session and keeps the caller's", async () => {
  const ann = await person();
  const other = await alsoSignedIn(ann);
  const same = await ann.supabase.auth.updateUser({ password: ann.password });
  assert.equal(same.error.code, "same_password");
  const { error } = await ann.supabase.auth.updateUser({ password: "another one" });
  assert.equal(error, null);
  assert.equal((await ann.supabase.auth.getUser()).error, null);
  const out = await ask("GET", "/auth/v1/user", { token: other.session.access_token });
  assert.deepEqual([out.status, out.json.code], [403, "session_not_found"]);
  const gone = await refresh(other.session.refresh_token);
  assert.deepEqual([gone.status, gone.json.code], [400, "refresh_token_not_found"]);
});

test("a sign-out ends what its scope says", async () => {
  const ann = await person();
  const [second, third] = [await alsoSignedIn(ann), await alsoSignedIn(ann)];
  const alive = async ({ session }) =>
    (await ask("GET", "/auth/v1/user", { token: session.access_token })).status === 200;
  await ann.supabase.auth.signOut({ scope: "others" });
  assert.deepEqual([await alive(ann), await alive(second), await alive(third)], [true, false, false]);
  const fourth = await alsoSignedIn(ann);
  const answer = await ask("POST", "/auth/v1/logout?scope=local", { token: fourth.session.access_token });
  assert.deepEqual([answer.status, answer.text], [204, ""]);
  assert.deepEqual([await alive(ann), await alive(fourth)], [true, false]);
  const odd = await ask("POST", "/auth/v1/logout?scope=odd", { token: ann.session.access_token });
  assert.deepEqual([odd.status, odd.json.code], [400, "validation_failed"]);
  const fifth = await alsoSignedIn(ann);
  await ann.supabase.auth.signOut();
  assert.deepEqual([await alive(ann), await alive(fifth)], [false, false]);
});

test("a recovery link begins a session, once", async () => {
  const { email, user } = await person();
  const { data } = await admin.auth.admin.generateLink({ type: "recovery", email });
  assert.equal(data.properties.verification_type, "recovery");
  const visitor = client();
  const token_hash = data.properties.hashed_token;
  const { data: verified, error } = await visitor.auth.verifyOtp({ token_hash, type: "recovery" });
  assert.equal(error, null);
  assert.equal(verified.user.id, user.id);
  assert.equal(claims(verified.session.access_token).amr[0].method, "otp");
  assert.equal((await visitor.auth.updateUser({ password: "quite another" })).error, null);
  const again = await client().auth.verifyOtp({ token_hash, type: "recovery" });
  assert.deepEqual([again.error.status, again.error.code], [403, "otp_expired"]);
});

test("the code of a link works with its address, and a wrong one does not", async () => {
  const { email, user } = await person();
  const { data } = await admin.auth.admin.generateLink({ type: "magiclink", email });
  const token = data.properties.email_otp;
  assert.match(token, /^\d{6,}$/);
  const wrong = String((Number(token) + 1) % 1_000_000).padStart(6, "0");
  const refused = await client().auth.verifyOtp({ email, token: wrong, type: "email" });
  assert.equal(refused.error.code, "otp_expired");
  const { data: verified } = await client().auth.verifyOtp({ email, token, type: "email" });
  assert.equal(verified.user.id, user.id);
});

test("asking for a recovery says nothing of who is known", async () => {
  const { error } = await client().auth.resetPasswordForEmail(someone());
  assert.equal(error, null);
});

test("the service role's key is no user, and a user no service role", async () => {
  const { session } = await person();
  const token = session.access_token;
  const listed = await ask("GET", "/auth/v1/admin/users", { token });
  assert.deepEqual([listed.status, listed.json.code], [403, "not_admin"]);
  const asKey = await ask("GET", "/auth/v1/admin/users");
  assert.deepEqual([asKey.status, asKey.json.code], [403, "not_admin"]);
  assert.equal((await ask("GET", "/auth/v1/admin/users", { key: serviceKey })).status, 200);
});
