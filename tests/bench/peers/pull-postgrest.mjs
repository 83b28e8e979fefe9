// The rows, page by page, and nothing done with them.
import { PostgrestClient } from '@supabase/postgrest-js';
import { answer, expect, measured, order } from './order.mjs';

const headers = { apikey: order.anon_key, Authorization: `Bearer ${order.token}` };
const client = new PostgrestClient(`${order.url}/rest/v1`, { headers });
const PAGE = 1000;
let rows = 0;
const cost = await measured(async () => {
  let last = null;
  for (;;) {
    let query = client.from('peer_messages').select('*');
    if (last) {
      const [modified, id] = last;
      query = query.or(`_modified.gt.${modified},and(_modified.eq.${modified},id.gt.${id})`);
    }
    const { data, error } = await query.order('_modified').order('id').limit(PAGE);
    if (error) throw new Error(error.message);
    rows += data.length;
    if (data.length < PAGE) return;
    last = [data.at(-1)._modified, data.at(-1).id];
  }
});
expect('rows', rows, order.rows);
answer(cost);
