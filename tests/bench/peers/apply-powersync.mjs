// PowerSync's core applies the lines of a service to a database of better-sqlite3, opened and driven as
// @powersync/node does it, on this thread. Only the core's own calls are measured.
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { answer, expect, order } from './order.mjs';

const folder = path.dirname(fileURLToPath(import.meta.resolve('@powersync/node')));
const names = {
  'linux-x64': 'libpowersync_x64.linux.so',
  'linux-arm64': 'libpowersync_aarch64.linux.so',
};
const core = path.join(folder, names[`${process.platform}-${process.arch}`] ?? 'none');
if (!existsSync(core)) throw new Error(`PowerSync's core is not in ${folder}`);

const database = new Database(order.file);
database.loadExtension(core, 'sqlite3_powersync_init');
database.pragma('journal_mode = WAL');
const column = (type) => (name) => ({ name, type });
const table = (name, texts, numbers) => ({
  name,
  view_name: name,
  local_only: false,
  insert_only: false,
  columns: [...texts.map(column('text')), ...numbers.map(column('integer'))],
  indexes: [],
});
const schema = {
  tables: [
    table('conversations', ['title', 'title_by', 'model', 'system_prompt', 'trashed_at', 'origin', 'continuation_id', 'metadata', 'clocks', 'created_at', 'updated_at'], ['pinned', 'archived']),
    table('messages', ['conversation_id', 'parent_id', 'continues_id', 'role', 'content', 'content_raw', 'parts', 'model', 'state', 'metadata', 'device_id', 'created_at', 'finished_at', 'trashed_at', 'clocks', 'updated_at'], ['tokens_in', 'tokens_out', 'first_token_ms', 'cost_micros']),
  ],
};
database.transaction(() => {
  database.prepare('SELECT powersync_init()').get();
  database.prepare('SELECT powersync_replace_schema(?)').get(JSON.stringify(schema));
})();

const call = database.prepare('SELECT powersync_control(?, ?) AS answer');
const control = database.transaction((op, payload) => call.get(op, payload).answer);
const lines = [];
for await (const line of createInterface({ input: createReadStream(order.lines) })) lines.push(line);

const cost = { wall_ms: 0, cpu_ms: 0 };
const timed = (op, payload) => {
  const began = performance.now();
  const before = process.cpuUsage();
  const said = control(op, payload);
  const { user, system } = process.cpuUsage(before);
  cost.wall_ms += performance.now() - began;
  cost.cpu_ms += (user + system) / 1000;
  return said;
};
control('start', JSON.stringify({ parameters: {}, schema, include_defaults: true, active_streams: [] }));
let said = '';
for (const line of lines) said = timed('line_text', line);
const count = database.prepare('SELECT count(*) AS n FROM messages').get().n;
expect(`messages (the core said ${said})`, count, order.rows);
answer(cost);
