import { answer, expect, measured, order } from './order.mjs';
import { messages, replicate } from './rx.mjs';

const collection = await messages();
const cost = await measured(async () => {
  // As many rows as the server gives at once; the plugin's default is a tenth of that.
  const state = replicate(collection, order, { pull: { batchSize: 1000 } });
  state.error$.subscribe((error) => {
    throw error;
  });
  await state.awaitInitialReplication();
});
expect('documents', await collection.count().exec(), order.rows);
answer(cost);
