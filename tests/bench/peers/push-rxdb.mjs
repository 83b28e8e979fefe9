import { randomUUID } from 'node:crypto';
import { answer, expect, measured, order } from './order.mjs';
import { messages, replicate } from './rx.mjs';

const collection = await messages();
const conversation_id = randomUUID();
const now = new Date().toISOString();
await collection.bulkInsert(
  order.texts.map((content) => ({
    id: randomUUID(),
    conversation_id,
    role: 'user',
    content,
    model: 'pushed',
    state: 'done',
    created_at: now,
    updated_at: now,
  })),
);
let pushed = 0;
const cost = await measured(async () => {
  const state = replicate(collection, order, { push: { batchSize: order.texts.length } });
  state.error$.subscribe((error) => {
    throw error;
  });
  state.sent$.subscribe(() => (pushed += 1));
  await state.awaitInitialReplication();
});
expect('pushed', pushed, order.texts.length);
answer(cost);
