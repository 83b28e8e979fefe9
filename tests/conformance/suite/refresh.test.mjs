import assert from "node:assert/strict";
import { test } from "node:test";

import { admin, ask, person, refresh, reuseIntervalMs, sleep } from "./project.mjs";

test("a refresh gives the next token, and the session goes on", async () => {
  const { supabase, user, session } = await person();
  const { data, error } = await supabase.auth.refreshSession();
  assert.equal(error, null);
  assert.notEqual(data.session.refresh_token, session.refresh_token);
  assert.equal(data.user.id, user.id);
  const id = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).session_id;
  assert.equal(id(data.session.access_token), id(session.access_token));
});

test("a token whose answer was lost gets the very child again, at any time", async () => {
  const { session } = await person();
  const first = await refresh(session.refresh_token);
  const again = await refresh(session.refresh_token);
  assert.deepEqual([first.status, again.status], [200, 200]);
  assert.equal(again.json.refresh_token, first.json.refresh_token);
  await sleep(reuseIntervalMs + 200);
  const late = await refresh(session.refresh_token);
  assert.equal(late.json.refresh_token, first.json.refresh_token);
});

test("two refreshes at once both succeed", async () => {
  const { session } = await person();
  const answers = await Promise.all([1, 2, 3].map(() => refresh(session.refresh_token)));
  assert.deepEqual(answers.map((answer) => answer.status), [200, 200, 200]);
  const next = await refresh(answers[0].json.refresh_token);
  assert.equal(next.status, 200);
});

test("a grandparent that comes again late ends the chain", async () => {
  const { session } = await person();
  const child = (await refresh(session.refresh_token)).json.refresh_token;
  const grandchild = (await refresh(child)).json.refresh_token;
  await sleep(reuseIntervalMs + 200);
  const reused = await refresh(session.refresh_token);
  assert.deepEqual([reused.status, reused.json.code], [400, "refresh_token_already_used"]);
  // A token that was revoked a moment ago may still fork its chain: wait that out, too.
  await sleep(reuseIntervalMs + 200);
  const last = await refresh(grandchild);
  assert.equal(last.status, 400);
  assert.match(last.json.code, /^refresh_token_(already_used|not_found)$/);
});

test("what is no token is told from one that nobody knows", async () => {
  const malformed = await refresh("abcdefghijklmnopqrstuv");
  assert.deepEqual([malformed.status, malformed.json.code], [400, "validation_failed"]);
  assert.equal((await refresh("short")).json.code, "validation_failed");
  const unknown = await refresh("abcdefghijkl");
  assert.deepEqual([unknown.status, unknown.json.code], [400, "refresh_token_not_found"]);
});

test("a ban stops the refresh and lapses with it", async () => {
  const { user, session, email, password } = await person();
  await admin.auth.admin.updateUserById(user.id, { ban_duration: "24h" });
  const banned = await refresh(session.refresh_token);
  assert.deepEqual([banned.status, banned.json.code], [400, "user_banned"]);
  const body = { email, password: `${password}, wrong` };
  const signIn = await ask("POST", "/auth/v1/token?grant_type=password", { body });
  assert.equal(signIn.json.code, "user_banned");
  const bearer = await ask("GET", "/auth/v1/user", { token: session.access_token });
  assert.deepEqual([bearer.status, bearer.json.code], [403, "user_banned"]);
  await admin.auth.admin.updateUserById(user.id, { ban_duration: "none" });
  assert.equal((await refresh(session.refresh_token)).status, 200);
});

test("a deleted user's tokens end, each in its own words", async () => {
  const { user, session } = await person();
  await admin.auth.admin.deleteUser(user.id);
  const gone = await refresh(session.refresh_token);
  assert.deepEqual([gone.status, gone.json.code], [400, "refresh_token_not_found"]);
  const bearer = await ask("GET", "/auth/v1/user", { token: session.access_token });
  assert.deepEqual([bearer.status, bearer.json.code], [403, "user_not_found"]);
});
