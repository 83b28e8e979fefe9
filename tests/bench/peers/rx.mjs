// RxDB with memory storage and its Supabase plugin, set up as its documentation says.
import { createClient } from '@supabase/supabase-js';
import { createRxDatabase } from 'rxdb/plugins/core';
import { replicateSupabase } from 'rxdb/plugins/replication-supabase';
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory';

const text = { type: 'string' };
const maybe = (type) => ({ type: [type, 'null'] });
const schema = {
  version: 0,
  primaryKey: 'id',
  type: 'object',
  properties: {
    id: { type: 'string', maxLength: 36 },
    user_id: text,
    conversation_id: text,
    parent_id: maybe('string'),
    continues_id: maybe('string'),
    role: text,
    content: text,
    content_raw: maybe('string'),
    parts: maybe('string'),
    model: maybe('string'),
    state: text,
    tokens_in: maybe('number'),
    tokens_out: maybe('number'),
    first_token_ms: maybe('number'),
    cost_micros: maybe('number'),
    metadata: maybe('string'),
    device_id: maybe('string'),
    created_at: text,
    finished_at: maybe('string'),
    trashed_at: maybe('string'),
    updated_at: text,
  },
  required: ['id', 'conversation_id', 'role', 'content', 'state'],
};

export async function messages() {
  const storage = getRxStorageMemory();
  const database = await createRxDatabase({ name: 'bench', storage, multiInstance: false });
  const { messages } = await database.addCollections({ messages: { schema } });
  return messages;
}

export function replicate(collection, { url, anon_key, token }, ways) {
  // Node 20 has no WebSocket, and nothing here listens.
  const realtime = { transport: globalThis.WebSocket ?? class {} };
  const client = createClient(url, anon_key, { accessToken: async () => token, realtime });
  return replicateSupabase({
    replicationIdentifier: 'bench',
    collection,
    client,
    tableName: 'peer_messages',
    live: false,
    waitForLeadership: false,
    ...ways,
  });
}
