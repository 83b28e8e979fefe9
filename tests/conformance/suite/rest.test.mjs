import assert from "node:assert/strict";
import { test } from "node:test";

import { admin, alsoSignedIn, ask, client, person, withFixture } from "./project.mjs";

test("a row is its owner's, and nobody else's", withFixture, async () => {
  const [ann, bob] = [await person(), await person()];
  const { data: note, error } = await ann.supabase
    .from("conformance_notes").insert({ body: "hers" }).select().single();
  assert.equal(error, null);
  assert.equal(note.owner_id, ann.user.id);
  const seen = async (supabase) =>
    (await supabase.from("conformance_notes").select().eq("id", note.id)).data?.length;
  assert.deepEqual([await seen(ann.supabase), await seen(bob.supabase)], [1, 0]);
  assert.deepEqual([await seen(client()), await seen(admin)], [0, 1]);
  const { data: changed } = await bob.supabase
    .from("conformance_notes").update({ body: "his" }).eq("id", note.id).select();
  assert.deepEqual(changed, []);
});

test("a row in another's name is refused with 42501", withFixture, async () => {
  const [ann, bob] = [await person(), await person()];
  const { error, status } = await bob.supabase
    .from("conformance_notes").insert({ body: "his", owner_id: ann.user.id });
  assert.deepEqual([status, error.code], [403, "42501"]);
});

test("a set is cut off at 1000 rows, and says nothing of it", withFixture, async () => {
  const { supabase } = await person();
  const { data, error } = await supabase.rpc("conformance_many");
  assert.equal(error, null);
  assert.equal(data.length, 1000);
});

test("a token that is none is refused by the data's own server", withFixture, async () => {
  const answer = await ask("GET", "/rest/v1/conformance_notes", { token: "a.b.c" });
  assert.equal(answer.status, 401);
  assert.match(answer.json.code, /^PGRST30/);
});

test("an access token outlives its session, until it runs out", withFixture, async () => {
  const ann = await person();
  const other = await alsoSignedIn(ann);
  await ann.supabase.auth.signOut();
  const token = other.session.access_token;
  assert.equal((await ask("GET", "/auth/v1/user", { token })).status, 403);
  assert.equal((await ask("GET", "/rest/v1/conformance_notes", { token })).status, 200);
});

test("what does not exist is refused with PostgREST's codes", withFixture, async () => {
  const { supabase } = await person();
  assert.equal((await supabase.rpc("conformance_nothing")).error.code, "PGRST202");
  assert.equal((await supabase.from("conformance_nothing").select()).error.code, "42P01");
});
