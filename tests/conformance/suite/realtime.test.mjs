import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";

import { admin, client, person, sleep, withFixture } from "./project.mjs";

const open = [];
after(async () => {
  for (const supabase of open) {
    await supabase.removeAllChannels();
    supabase.realtime.disconnect();
  }
});

/** Somebody new who may hear a topic of their own. */
async function listener() {
  const ann = await person();
  open.push(ann.supabase);
  const topic = `conformance:${randomUUID()}`;
  const { error } = await ann.supabase
    .from("conformance_members").insert({ topic, user_id: ann.user.id });
  if (error) throw error;
  return { ...ann, topic };
}

/** Joins, and collects what comes; resolves with the first state that the join reaches. */
function join(supabase, topic, { isPrivate = true, config = {} } = {}) {
  const heard = [];
  const states = [];
  const channel = supabase.channel(topic, { config: { private: isPrivate, ...config } });
  channel.on("broadcast", { event: "*" }, (message) => heard.push(message));
  return new Promise((resolve) => {
    channel.subscribe((state, error) => {
      states.push(state);
      resolve({ channel, heard, states, state, error });
    });
  });
}

async function until(claim, what) {
  for (let waited = 0; waited < 10_000; waited += 20) {
    if (claim()) return;
    await sleep(20);
  }
  assert.fail(`waited for ${what}`);
}

const ring = async (topic, payload, more = {}) => {
  const { error } = await admin.rpc("conformance_ring", { topic, event: "changed", payload, ...more });
  assert.equal(error, null);
};

test("a broadcast of the database reaches who may hear it, with its id", withFixture, async () => {
  const ann = await listener();
  const { state, heard } = await join(ann.supabase, ann.topic);
  assert.equal(state, "SUBSCRIBED");
  await ring(ann.topic, { seq: 7 });
  await until(() => heard.length, "the broadcast");
  const [message] = heard;
  assert.equal(message.event, "changed");
  assert.equal(message.payload.seq, 7);
  assert.match(message.payload.id, /^[0-9a-f-]{36}$/);
  assert.equal(message.meta.id, message.payload.id);
});

test("broadcasts come in the order of their commits, each once", withFixture, async () => {
  const ann = await listener();
  const { heard } = await join(ann.supabase, ann.topic);
  for (let seq = 0; seq < 30; seq += 1) await ring(ann.topic, { seq });
  await until(() => heard.length >= 30, "all broadcasts");
  await sleep(100);
  assert.deepEqual(heard.map(({ payload }) => payload.seq), [...Array(30).keys()]);
});

test("somebody else's topic is refused, and so is everybody's without a token", withFixture, async () => {
  const [ann, bob] = [await listener(), await listener()];
  const refused = await join(bob.supabase, ann.topic);
  assert.equal(refused.state, "CHANNEL_ERROR");
  assert.match(refused.error.message, /Unauthorized: You do not have permissions to read/);
  const nobody = client();
  open.push(nobody);
  assert.equal((await join(nobody, ann.topic)).state, "CHANNEL_ERROR");
});

test("a public channel of the same name is another one", withFixture, async () => {
  const [ann, bob] = [await listener(), await person()];
  open.push(bob.supabase);
  const own = await join(ann.supabase, ann.topic);
  const eavesdropper = await join(bob.supabase, ann.topic, { isPrivate: false });
  assert.equal(eavesdropper.state, "SUBSCRIBED");
  await ring(ann.topic, { n: 1 });
  await until(() => own.heard.length === 1, "the private broadcast");
  await ring(ann.topic, { n: 2 }, { private: false });
  await until(() => eavesdropper.heard.length === 1, "the public broadcast");
  assert.equal(eavesdropper.heard[0].payload.n, 2);
  assert.equal(own.heard.length, 1);
});

test("what is rolled back is never told", withFixture, async () => {
  const ann = await listener();
  const { heard } = await join(ann.supabase, ann.topic);
  const { error } = await admin.rpc("conformance_ring_and_fail", { topic: ann.topic });
  assert.match(error.message, /rolled back/);
  await ring(ann.topic, { seq: 1 });
  await until(() => heard.length, "the broadcast");
  assert.equal(heard[0].payload.seq, 1);
});

test("a caller without the right to ring goes on, and nobody hears", withFixture, async () => {
  const ann = await listener();
  const { heard } = await join(ann.supabase, ann.topic);
  const { data, error } = await ann.supabase
    .rpc("conformance_ring_as_caller", { topic: ann.topic });
  assert.deepEqual([data, error], ["went on", null]);
  await ring(ann.topic, { seq: 1 });
  await until(() => heard.length, "the broadcast");
  assert.deepEqual(heard.map(({ payload }) => payload.seq), [1]);
});

test("who lost the right hears on until another token comes, and then no more", withFixture, async () => {
  const ann = await listener();
  const { heard, states } = await join(ann.supabase, ann.topic);
  await admin.from("conformance_members").delete().eq("topic", ann.topic);
  await ring(ann.topic, { seq: 1 });
  await until(() => heard.length === 1, "the broadcast after the revocation");
  await sleep(1_100);
  const { data } = await ann.supabase.auth.refreshSession();
  await ann.supabase.realtime.setAuth(data.session.access_token);
  await until(() => states.includes("CLOSED"), "the end of the channel");
  await ring(ann.topic, { seq: 2 });
  await sleep(200);
  assert.equal(heard.length, 1);
});

test("a private channel takes no broadcast of a client without a policy for it", withFixture, async () => {
  const ann = await listener();
  const config = { broadcast: { self: true } };
  const { channel, heard } = await join(ann.supabase, ann.topic, { config });
  await channel.send({ type: "broadcast", event: "forged", payload: {} });
  await ring(ann.topic, { seq: 1 });
  await until(() => heard.length, "the broadcast");
  assert.deepEqual(heard.map(({ event }) => event), ["changed"]);
});

test("clients hear each other on a public channel", withFixture, async () => {
  const [ann, bob] = [await person(), await person()];
  open.push(ann.supabase, bob.supabase);
  const topic = `conformance:${randomUUID()}`;
  const config = { broadcast: { ack: true, self: true } };
  const sender = await join(ann.supabase, topic, { isPrivate: false, config });
  const hearer = await join(bob.supabase, topic, { isPrivate: false });
  const sent = await sender.channel.send({ type: "broadcast", event: "hello", payload: { n: 1 } });
  assert.equal(sent, "ok");
  await until(() => hearer.heard.length && sender.heard.length, "the broadcast");
  assert.equal(hearer.heard[0].payload.n, 1);
});

test("missed broadcasts are replayed to who asks for them", withFixture, async () => {
  const ann = await listener();
  const since = Date.now() - 1_000;
  await ring(ann.topic, { seq: 1 });
  await ring(ann.topic, { seq: 2 });
  const config = { broadcast: { replay: { since, limit: 10 } } };
  const { state, heard } = await join(ann.supabase, ann.topic, { config });
  assert.equal(state, "SUBSCRIBED");
  await until(() => heard.length === 2, "the replay");
  assert.deepEqual(heard.map(({ payload }) => payload.seq), [1, 2]);
  assert.equal(heard[0].meta.replayed, true);
});
