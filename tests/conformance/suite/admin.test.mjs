import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { admin, alsoSignedIn, person, remember, someone } from "./project.mjs";


test("a user is made with a password, confirmed, and signs in", async () => {
  const [email, password] = [someone(), "correct horse"];
  const { data, error } = await admin.auth.admin.createUser({
    email: email.toUpperCase(),
    password,
    email_confirm: true,
    user_metadata: { name: "Ann" },
    app_metadata: { plan: "pro" },
  });
  assert.equal(error, null);
  remember(data.user);
  assert.equal(data.user.email, email);
  assert.equal(data.user.app_metadata.plan, "pro");
  assert.equal(data.user.app_metadata.provider, "email");
  assert.equal(data.user.user_metadata.email_verified, true);
  assert.equal(data.user.last_sign_in_at, undefined);
  assert.equal((await alsoSignedIn({ email, password })).user.user_metadata.name, "Ann");
});

test("a user that is not confirmed does not sign in", async () => {
  const [email, password] = [someone(), "correct horse"];
  remember((await admin.auth.admin.createUser({ email, password })).data.user);
  await assert.rejects(alsoSignedIn({ email, password }), { code: "email_not_confirmed", status: 400 });
});

test("a user is made with the hash of a password", async () => {
  const hashes = JSON.parse(process.env.CONFORMANCE_HASHES ?? "{}");
  for (const [password, hash] of Object.entries(hashes)) {
    const email = someone();
    const { data, error } = await admin.auth.admin.createUser({
      email,
      password_hash: hash,
      email_confirm: true,
    });
    assert.equal(error, null, hash);
    remember(data.user);
    assert.equal((await alsoSignedIn({ email, password })).user.id, data.user.id);
    await assert.rejects(alsoSignedIn({ email, password: `${password}!` }), { code: "invalid_credentials" });
  }
  const malformed = { email: someone(), password_hash: "$2a$10$cut off" };
  assert.equal((await admin.auth.admin.createUser(malformed)).error.status, 500);
});

test("an address is taken once, and an id is the caller's to choose", async () => {
  const { email } = await person();
  const taken = await admin.auth.admin.createUser({ email });
  assert.deepEqual([taken.error.status, taken.error.code], [422, "email_exists"]);
  const id = randomUUID();
  const { data } = await admin.auth.admin.createUser({ id, email: someone() });
  assert.equal(remember(data.user).id, id);
});

test("users are listed in pages, without their identities", async () => {
  const { user } = await person();
  await person();
  const { data } = await admin.auth.admin.listUsers({ page: 1, perPage: 1 });
  assert.equal(data.users.length, 1);
  assert.ok(data.total >= 2);
  assert.equal(data.nextPage, 2);
  assert.equal(data.users[0].identities, null);
  const { data: one } = await admin.auth.admin.getUserById(user.id);
  assert.equal(one.user.identities.length, 1);
});

test("a new password from the administrator ends all sessions", async () => {
  const ann = await person();
  const { error } = await admin.auth.admin.updateUserById(ann.user.id, { password: "chosen by them" });
  assert.equal(error, null);
  assert.equal((await ann.supabase.auth.getUser()).error.name, "AuthSessionMissingError");
  await alsoSignedIn({ email: ann.email, password: "chosen by them" });
});

test("nobody is found as such", async () => {
  const { error } = await admin.auth.admin.getUserById(randomUUID());
  assert.deepEqual([error.status, error.code], [404, "user_not_found"]);
});

test("a user that is deleted softly cannot come back, and its row stays", async () => {
  const ann = await person();
  assert.equal((await admin.auth.admin.deleteUser(ann.user.id, true)).error, null);
  assert.equal((await ann.supabase.auth.getUser()).error.name, "AuthSessionMissingError");
  await assert.rejects(alsoSignedIn(ann), { code: "invalid_credentials" });
  const { data } = await admin.auth.admin.getUserById(ann.user.id);
  assert.ok(data.user.deleted_at && data.user.email !== ann.email);
});
