// Written by `cargo xtask types` from crates/core; a difference fails the tests.

export type ConversationId = string;

export type MessageId = string;

export type DocumentId = string;

export type DeviceId = string;

export type Timestamp = string;

export type ModelRef = string;

export type TitleBy = "auto" | "person" | "import";

export type Origin = { 
/**
 * The legacy system, such as `pharmgpt-v4`.
 */
system: string, 
/**
 * Its ids there, by name (`user`, `conversation`, `thread`, …).
 */
ids: Record<string, string>, };

export type Conversation = { 
/**
 * Its id.
 */
id: ConversationId, 
/**
 * What the sidebar shows; empty until the first message names it.
 */
title: string, 
/**
 * Who set the title: a person's is never replaced by a machine's.
 */
title_by: TitleBy, 
/**
 * The model that the next question goes to; none means the default model.
 */
model: ModelRef | null, 
/**
 * What the model is told before the first message; none means the default.
 */
system_prompt: string | null, 
/**
 * Kept at the top of the sidebar.
 */
pinned: boolean, 
/**
 * Out of the sidebar, still found by search.
 */
archived: boolean, 
/**
 * When it was put into the trash; purged 30 days later.
 */
trashed_at: Timestamp | null, 
/**
 * Where an imported conversation came from.
 */
origin: Origin | null, 
/**
 * The id under which the older program continued it.
 */
continuation_id: string | null, 
/**
 * Messages in all branches, without trashed ones.
 */
message_count: number, 
/**
 * Answers that wait (queued, retrying or needing you); one that arrives is not counted.
 */
open_count: number, 
/**
 * When it was made.
 */
created_at: Timestamp, 
/**
 * When a field of the conversation itself last changed.
 */
updated_at: Timestamp, 
/**
 * When it was last written in; the sidebar's order.
 */
active_at: Timestamp, };

export type Role = "user" | "assistant" | "system" | "tool";

export type MessageState = "queued" | "sending" | "streaming" | "retrying" | "needs_you" | "done" | "stopped" | "interrupted";

export type Part = { 
/**
 * `image`, `audio`, `pdf` or `file`.
 */
kind: string, 
/**
 * The name that a person saw.
 */
name: string | null, 
/**
 * The media type, by content.
 */
mime: string | null, 
/**
 * SHA-256 of the bytes in hex, where they are here.
 */
sha256: string | null, 
/**
 * Size in bytes.
 */
bytes: number | null, 
/**
 * Where the bytes are, when the old program kept only a link.
 */
url: string | null, };

export type Message = { 
/**
 * Its id.
 */
id: MessageId, 
/**
 * The conversation that it belongs to.
 */
conversation_id: ConversationId, 
/**
 * What it follows; none for the first of a branch.
 */
parent_id: MessageId | null, 
/**
 * The answer that this one goes on from, where Continue made a sibling.
 */
continues_id: MessageId | null, 
/**
 * Who speaks.
 */
role: Role, 
/**
 * Markdown, always valid Unicode without U+0000.
 */
content: string, 
/**
 * The original bytes in base64, where `content` had to replace what JSON cannot carry.
 */
content_raw: string | null, 
/**
 * Attachments, in order.
 */
parts: Array<Part>, 
/**
 * The model that answered, or will.
 */
model: ModelRef | null, 
/**
 * Where it is on its way.
 */
state: MessageState, 
/**
 * Tokens of the prompt, as the provider counted them.
 */
tokens_in: number | null, 
/**
 * Tokens of the answer.
 */
tokens_out: number | null, 
/**
 * Milliseconds from the request to the first token.
 */
first_token_ms: number | null, 
/**
 * Cost in millionths of a US dollar, where a price is known.
 */
cost_micros: number | null, 
/**
 * What an import or a provider told beside the text.
 */
metadata: Record<string, unknown> | null, 
/**
 * The device that runs it; only this one may change an unfinished body.
 */
device_id: DeviceId | null, 
/**
 * When it was written.
 */
created_at: Timestamp, 
/**
 * When it last changed.
 */
updated_at: Timestamp, 
/**
 * When the answer ended.
 */
finished_at: Timestamp | null, };

export type ProviderKind = "local" | "openai" | "anthropic";

export type ModelInfo = { 
/**
 * The id that the provider knows.
 */
id: string, 
/**
 * What a person reads; the id where it is empty.
 */
name: string, 
/**
 * How many tokens fit, prompt and answer together.
 */
context_tokens: number | null, 
/**
 * Price of a million prompt tokens, in millionths of a US dollar.
 */
price_in_micros: number | null, 
/**
 * Price of a million answer tokens, in millionths of a US dollar.
 */
price_out_micros: number | null, };

export type ProviderConfig = { 
/**
 * Short and stable, `[a-z0-9-]+`: the first part of a [`ModelRef`].
 */
id: string, 
/**
 * How it is spoken to.
 */
kind: ProviderKind, 
/**
 * What a person calls it.
 */
name: string, 
/**
 * Where it is, such as `https://api.openai.com/v1`; empty for `local`.
 */
base_url: string, 
/**
 * A file of PEM certificates to trust beside the system's.
 */
ca_file: string | null, 
/**
 * The models that are offered.
 */
models: Array<ModelInfo>, };

export type Code = "invalid_input" | "too_large" | "not_found" | "wrong_state" | "offline" | "rate_limited" | "provider_busy" | "key_rejected" | "model_missing" | "model_invalid" | "out_of_memory" | "context_full" | "refused" | "interrupted" | "disk_full" | "read_only" | "locked" | "wrong_key" | "newer" | "corrupt" | "busy" | "internal";

export type Failure = { 
/**
 * What the interface can do about it.
 */
code: Code, 
/**
 * One or two sentences: what happened, and what is safe.
 */
message: string, 
/**
 * One sentence: what to do.
 */
hint: string | null, };

export type Change = { "kind": "conversation", 
/**
 * Which.
 */
id: ConversationId, } | { "kind": "message", 
/**
 * In which conversation.
 */
conversation_id: ConversationId, 
/**
 * Which.
 */
id: MessageId, } | { "kind": "draft", 
/**
 * In which conversation.
 */
conversation_id: ConversationId | null, } | { "kind": "setting", 
/**
 * Its key.
 */
key: string, } | { "kind": "models" } | { "kind": "undo" } | { "kind": "sync" } | { "kind": "import" } | { "kind": "everything" };

export type AppState = { "at": "ready", 
/**
 * Whether first run is behind us.
 */
first_run_done: boolean, 
/**
 * The folder of the mirror, to be shown.
 */
data_dir: string, 
/**
 * The mirror's id, which names its keyring entries.
 */
mirror_id: string, 
/**
 * The program's version.
 */
version: string, 
/**
 * How the key is kept.
 */
key: KeyStore, 
/**
 * What was saved from a damaged mirror at this start, once.
 */
salvaged: SalvageReport | null, } | { "at": "locked", 
/**
 * Why.
 */
failure: Failure, 
/**
 * Whether a passphrase was set on this mirror (else only the recovery key opens it).
 */
has_passphrase: boolean, } | { "at": "needs_passphrase", 
/**
 * Why the keyring cannot be used.
 */
failure: Failure, } | { "at": "failed", 
/**
 * Why.
 */
failure: Failure, 
/**
 * The folder of the mirror.
 */
data_dir: string, };

export type KeyStore = "keyring" | "passphrase" | "file";

export type SalvageReport = { 
/**
 * Where the damaged file was set aside.
 */
set_aside: string, 
/**
 * Rows that were read and are here.
 */
rows_saved: number, 
/**
 * Rows that are known to have been there and could not be read.
 */
rows_lost: number, 
/**
 * Per table: saved and lost.
 */
tables: Array<SalvagedTable>, };

export type SalvagedTable = { 
/**
 * The table.
 */
table: string, 
/**
 * Rows that are here.
 */
saved: number, 
/**
 * Rows that could not be read.
 */
lost: number, };

export type Shelf = "active" | "archived" | "trash";

export type ThreadPage = { 
/**
 * The conversation.
 */
conversation: Conversation, 
/**
 * Messages of the branch that is shown, oldest first.
 */
messages: Array<ThreadMessage>, 
/**
 * Whether the branch has older messages than these.
 */
has_before: boolean, 
/**
 * Whether the branch has newer messages than these.
 */
has_after: boolean, };

export type ThreadMessage = { 
/**
 * Its place among those with the same parent.
 */
siblings: Siblings, 
/**
 * Its place in the send queue, while it has one.
 */
waiting: Waiting | null, 
/**
 * Its id.
 */
id: MessageId, 
/**
 * The conversation that it belongs to.
 */
conversation_id: ConversationId, 
/**
 * What it follows; none for the first of a branch.
 */
parent_id: MessageId | null, 
/**
 * The answer that this one goes on from, where Continue made a sibling.
 */
continues_id: MessageId | null, 
/**
 * Who speaks.
 */
role: Role, 
/**
 * Markdown, always valid Unicode without U+0000.
 */
content: string, 
/**
 * The original bytes in base64, where `content` had to replace what JSON cannot carry.
 */
content_raw: string | null, 
/**
 * Attachments, in order.
 */
parts: Array<Part>, 
/**
 * The model that answered, or will.
 */
model: ModelRef | null, 
/**
 * Where it is on its way.
 */
state: MessageState, 
/**
 * Tokens of the prompt, as the provider counted them.
 */
tokens_in: number | null, 
/**
 * Tokens of the answer.
 */
tokens_out: number | null, 
/**
 * Milliseconds from the request to the first token.
 */
first_token_ms: number | null, 
/**
 * Cost in millionths of a US dollar, where a price is known.
 */
cost_micros: number | null, 
/**
 * What an import or a provider told beside the text.
 */
metadata: Record<string, unknown> | null, 
/**
 * The device that runs it; only this one may change an unfinished body.
 */
device_id: DeviceId | null, 
/**
 * When it was written.
 */
created_at: Timestamp, 
/**
 * When it last changed.
 */
updated_at: Timestamp, 
/**
 * When the answer ended.
 */
finished_at: Timestamp | null, };

export type Siblings = { 
/**
 * From 0, oldest first.
 */
index: number, 
/**
 * How many there are.
 */
count: number, 
/**
 * The one before, for Alt+←.
 */
previous_id: MessageId | null, 
/**
 * The one after, for Alt+→.
 */
next_id: MessageId | null, };

export type Waiting = { 
/**
 * How often it was tried.
 */
attempts: number, 
/**
 * When it is tried again, where that is known.
 */
retry_at: Timestamp | null, 
/**
 * What went wrong last.
 */
failure: Failure | null, 
/**
 * The answer of the same conversation that must come first.
 */
behind: MessageId | null, 
/**
 * Whether it waits for a yes, because it waited long and costs money.
 */
held: boolean, 
/**
 * When it was put in.
 */
queued_at: Timestamp, };

export type SendRequest = { 
/**
 * Where to; none starts a new conversation.
 */
conversation_id: ConversationId | null, 
/**
 * What it follows; none means the end of the branch that is shown.
 */
parent_id: MessageId | null, 
/**
 * Markdown, at most 1 MiB.
 */
content: string, 
/**
 * The original bytes in base64, where `content` had to replace what JSON cannot carry.
 */
content_raw: string | null, 
/**
 * The model to ask; none means the conversation's, else the default.
 */
model: ModelRef | null, };

export type Sent = { 
/**
 * Where.
 */
conversation_id: ConversationId, 
/**
 * The person's message; none where only an answer was asked for.
 */
message_id: MessageId | null, 
/**
 * The answer to come; none where none was asked for.
 */
answer_id: MessageId | null, };

export type StreamEvent = { "kind": "snapshot", 
/**
 * The text.
 */
content: string, } | { "kind": "text", 
/**
 * The text.
 */
text: string, } | { "kind": "end" };

export type SearchHit = { 
/**
 * Where.
 */
conversation_id: ConversationId, 
/**
 * The message; none where the title matched.
 */
message_id: MessageId | null, 
/**
 * The conversation's title.
 */
title: string, 
/**
 * The passage around the first match, on one line.
 */
snippet: string, 
/**
 * Which parts of `snippet` matched: starts and ends in UTF-16 code units.
 */
highlights: Array<[number, number]>, 
/**
 * Whether the conversation is archived or in the trash.
 */
shelf: Shelf, 
/**
 * When the message was written, or the conversation last active.
 */
created_at: Timestamp, };

export type SearchRequest = { 
/**
 * Words as a person types them; quotes keep words together, the last word may be unfinished.
 */
text: string, 
/**
 * Only in this conversation.
 */
conversation_id: ConversationId | null, 
/**
 * At most so many hits; 50 where none is given, 200 at most.
 */
limit: number | null, };

export type ModelEntry = { 
/**
 * How it is named everywhere.
 */
model: ModelRef, 
/**
 * What a person reads, such as `SmolLM2 135M`.
 */
name: string, 
/**
 * What its provider is called, such as `This computer`.
 */
provider_name: string, 
/**
 * How it is spoken to.
 */
provider_kind: ProviderKind, 
/**
 * Whether it can work now.
 */
available: boolean, 
/**
 * Why not.
 */
reason: string | null, 
/**
 * Whether it is the default.
 */
is_default: boolean, 
/**
 * Prices and limits, where they are known.
 */
info: ModelInfo, };

export type ProviderView = { 
/**
 * Whether a key is stored for it.
 */
has_key: boolean, 
/**
 * Short and stable, `[a-z0-9-]+`: the first part of a [`ModelRef`].
 */
id: string, 
/**
 * How it is spoken to.
 */
kind: ProviderKind, 
/**
 * What a person calls it.
 */
name: string, 
/**
 * Where it is, such as `https://api.openai.com/v1`; empty for `local`.
 */
base_url: string, 
/**
 * A file of PEM certificates to trust beside the system's.
 */
ca_file: string | null, 
/**
 * The models that are offered.
 */
models: Array<ModelInfo>, };

export type LocalModel = { 
/**
 * Its id: the second part of its [`ModelRef`].
 */
id: string, 
/**
 * What a person reads.
 */
name: string, 
/**
 * Why one would choose it, in a sentence.
 */
about: string, 
/**
 * Its licence, by SPDX id or name.
 */
license: string, 
/**
 * Size of the file in bytes.
 */
bytes: number, 
/**
 * Where it is downloaded from; none for a file that the person pointed at.
 */
url: string | null, 
/**
 * SHA-256 of the file in hex, checked before first use.
 */
sha256: string | null, 
/**
 * Where it stands.
 */
state: LocalModelState, };

export type LocalModelState = { "at": "absent" } | { "at": "downloading", 
/**
 * Bytes that are here.
 */
received: number, 
/**
 * Bytes in all.
 */
total: number, } | { "at": "paused", 
/**
 * Bytes that are here.
 */
received: number, 
/**
 * Why it stopped, where it was not the person.
 */
failure: Failure | null, } | { "at": "ready", 
/**
 * Where the file is.
 */
path: string, } | { "at": "broken", 
/**
 * Why.
 */
failure: Failure, };

export type Setting = { 
/**
 * Its key, such as `theme`.
 */
key: string, 
/**
 * Its value, checked when it is set.
 */
value: unknown, 
/**
 * What it is when nobody sets it.
 */
default: unknown, 
/**
 * What it does, in a sentence.
 */
about: string, };

export type Undoable = { 
/**
 * Counts up; an older one can no longer be taken back through a toast of its own.
 */
id: number, 
/**
 * What was done, such as `Moved "Warfarin" to the trash`.
 */
label: string, 
/**
 * The conversation that it concerns.
 */
conversation_id: ConversationId, };

export type Pause = "sign_in" | "device_revoked" | "user_disabled" | "device_unknown" | "wrong_key" | "forbidden" | "no_schema" | "server_too_old" | "app_too_old" | "project_paused" | "server_full" | "wrong_project" | "removal";

export type SyncState = { "at": "local_only" } | { "at": "stopped" } | { "at": "connecting" } | { "at": "syncing" } | { "at": "first_sync" } | { "at": "up_to_date", 
/**
 * Since when.
 */
since: Timestamp, } | { "at": "offline" } | { "at": "elsewhere" } | { "at": "paused", 
/**
 * Why.
 */
why: Pause, } | { "at": "disk_full" };

export type Counts = { 
/**
 * Changes that have no outcome yet, without the parked ones.
 */
waiting: number, 
/**
 * Changes that the server refused for good; a person decides.
 */
parked: number, 
/**
 * Conflicts that nobody has looked at.
 */
conflicts: number, 
/**
 * When the oldest of the waiting was made.
 */
oldest_at: Timestamp | null, };

export type Moved = { 
/**
 * Changes of this device that the server settled.
 */
pushed: number, 
/**
 * Rows, and tombstones, that the server told.
 */
pulled: number, };

export type SyncStatus = { 
/**
 * Where it is.
 */
state: SyncState, 
/**
 * What waits.
 */
counts: Counts, 
/**
 * When all was last up to date, while this program ran.
 */
synced_at: Timestamp | null, 
/**
 * What went over the wire.
 */
moved: Moved, 
/**
 * The version of the account up to which everything is here; none before the first sync's end.
 */
cursor: number | null, };

export type Verdict = "remove" | "keep";

export type ProjectAddress = { 
/**
 * `https://example.supabase.co`
 */
url: string, 
/**
 * The anon or publishable key: every client of the project has it.
 */
anon_key: string, 
/**
 * A file of PEM certificates to trust beside the system's.
 */
ca_file: string | null, };

export type Organisation = { 
/**
 * The project to sign in to; none where none is named.
 */
project: ProjectAddress | null, 
/**
 * Why the file is not followed, for the person to tell the administrator.
 */
problem: string | null, };

export type AccountState = "local_only" | "signed_in" | "signed_out" | "unconfirmed";

export type AccountStatus = { 
/**
 * Whether somebody is signed in.
 */
state: AccountState, 
/**
 * The project's address; none where none was entered.
 */
url: string | null, 
/**
 * Whose account it is.
 */
email: string | null, 
/**
 * Their id.
 */
user_id: string | null, 
/**
 * Since when this mirror belongs to it.
 */
attached_at: Timestamp | null, 
/**
 * Changes that have not reached the project.
 */
pending: number, };

export type SignOutRequest = { 
/**
 * Removes what came from the account, instead of keeping it on this computer.
 */
remove: boolean, 
/**
 * Goes on although changes have not reached the project.
 */
discard_pending: boolean, 
/**
 * Ends the sessions of all devices.
 */
everywhere: boolean, };

export type ConflictView = { 
/**
 * Names it.
 */
id: number, 
/**
 * The conversation that it belongs to.
 */
conversation_id: ConversationId | null, 
/**
 * Its title, as it is now.
 */
conversation_title: string | null, 
/**
 * The message, where it is one that was changed.
 */
message_id: MessageId | null, 
/**
 * The table.
 */
table: string, 
/**
 * The setting's key, where it is one that was changed.
 */
setting: string | null, 
/**
 * What was changed on both: `title`, `system_prompt`, `body`, a setting's `value`, …
 */
register: string, 
/**
 * The value that stands, as text.
 */
kept: string, 
/**
 * The value that lost, as text.
 */
lost: string, 
/**
 * Whether this device's value lost; else another's lost against this device's.
 */
ours: boolean, 
/**
 * The other device, where only one other belongs to the account.
 */
device: string | null, 
/**
 * The message that holds the text that lost, beside the one that stands.
 */
copy_id: MessageId | null, 
/**
 * Whether both can stand: texts can.
 */
can_keep_both: boolean, 
/**
 * When this device learned of it.
 */
at: Timestamp, };

export type ConflictChoice = "keep_current" | "bring_back" | "keep_both";

export type ParkedView = { 
/**
 * Names it, until it is sent again.
 */
n: number, 
/**
 * The conversation that it belongs to, for “Edit”.
 */
conversation_id: ConversationId | null, 
/**
 * The message, where it is one.
 */
message_id: MessageId | null, 
/**
 * What was to be done, such as `A message in “Warfarin”`.
 */
what: string, 
/**
 * The beginning of the text that it carries.
 */
text: string, 
/**
 * Why it was refused, in a sentence.
 */
reason: string, 
/**
 * What helps, in a sentence.
 */
hint: string, 
/**
 * The server's code.
 */
code: string, 
/**
 * How often it was refused.
 */
attempts: number, 
/**
 * How many changes of the same conversation wait behind it.
 */
behind: number, 
/**
 * When it was made.
 */
created_at: Timestamp, };

export type Unsynced = { 
/**
 * The message.
 */
message_id: MessageId, 
/**
 * Since when.
 */
since: Timestamp, 
/**
 * Whether it waits for a person: it, or something before it, was refused.
 */
is_stuck: boolean, };

export type DeviceView = { 
/**
 * Its id.
 */
id: DeviceId, 
/**
 * The computer's name.
 */
name: string, 
/**
 * `linux`, `macos` or `windows`.
 */
platform: string, 
/**
 * The version of Tidemark that it last ran.
 */
app_version: string, 
/**
 * Since when it belongs to the account.
 */
created_at: Timestamp, 
/**
 * When the server last heard of it; none where the server was not asked.
 */
last_seen_at: Timestamp | null, 
/**
 * When it was signed out by its owner.
 */
revoked_at: Timestamp | null, 
/**
 * Whether it is this one.
 */
current: boolean, };

export type DeviceList = { 
/**
 * This one first, then by name.
 */
devices: Array<DeviceView>, 
/**
 * Why the server could not be asked when each was last seen; none where it was.
 */
unasked: Failure | null, };

export type SessionView = { 
/**
 * Its id.
 */
id: string, 
/**
 * When it was signed in.
 */
created_at: Timestamp, 
/**
 * When it last got a token.
 */
refreshed_at: Timestamp | null, 
/**
 * From which address.
 */
ip: string | null, 
/**
 * With which program.
 */
user_agent: string | null, 
/**
 * On which device.
 */
device_name: string | null, 
/**
 * Whether it is this one.
 */
current: boolean, };

export type Doorbell = "up" | "down";

export type Timing = { 
/**
 * What was measured: a request's name, or `read` and `write`.
 */
name: string, 
/**
 * How many there were since the program's start.
 */
count: number, 
/**
 * Half of them were faster, in milliseconds.
 */
p50_ms: number, 
/**
 * 95 of 100 were faster.
 */
p95_ms: number, 
/**
 * 99 of 100 were faster.
 */
p99_ms: number, 
/**
 * The slowest.
 */
max_ms: number, 
/**
 * The latest 60, oldest first, for a chart.
 */
recent_ms: Array<number>, };

export type Slow = { 
/**
 * What was measured.
 */
name: string, 
/**
 * How long it took, in milliseconds.
 */
ms: number, 
/**
 * When it ended.
 */
at: Timestamp, };

export type Failed = { 
/**
 * What was asked.
 */
name: string, 
/**
 * In which way, for whoever maintains the server: service, status, code.
 */
what: string, 
/**
 * When.
 */
at: Timestamp, };

export type Health = { 
/**
 * Where sync is, and what waits.
 */
sync: SyncStatus, 
/**
 * Whether the server rings when something changes.
 */
doorbell: Doorbell, 
/**
 * How long requests took, by name.
 */
requests: Array<Timing>, 
/**
 * How long reads and writes of the mirror took, the wait for their turn included.
 */
queries: Array<Timing>, 
/**
 * The requests and queries that took long, latest first.
 */
slow: Array<Slow>, 
/**
 * The requests that failed, latest first.
 */
failures: Array<Failed>, 
/**
 * The size of the mirror's file and its log, in bytes.
 */
bytes: number, };

export type FoundSource = { 
/**
 * The program, as in plans and reports.
 */
source: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * Where it is.
 */
path: string, 
/**
 * Its size, in bytes.
 */
bytes: number, };

export type ImportRequest = { 
/**
 * The folder or file.
 */
path: string, 
/**
 * Whose chats, by name or key; none: everybody's.
 */
users: Array<string>, 
/**
 * What times without a zone mean: minutes east of UTC.
 */
zone_minutes: number, 
/**
 * Takes everything back where it is not verified.
 */
auto_rollback: boolean, };

export type ImportCounts = { 
/**
 * People whose chats they are.
 */
users: number, 
/**
 * Conversations.
 */
conversations: number, 
/**
 * Messages of the old program, those that are `folded` into others included.
 */
messages: number, 
/**
 * Of them, those that are no messages here: what the old program did not show (instructions, steps
 * towards an answer) stands in the metadata of what it showed.
 */
folded: number, 
/**
 * Documents.
 */
documents: number, 
/**
 * Pieces of documents' text.
 */
fragments: number, 
/**
 * What hangs on messages.
 */
attachments: number, };

export type Share = { 
/**
 * Names them in the source.
 */
key: string, 
/**
 * What they called themselves; none for a folder that belongs to nobody.
 */
name: string | null, 
/**
 * Other names that have the same id: the chats are of all of them.
 */
other_names: Array<string>, 
/**
 * The keys of others whose names look alike, but for case, Unicode form, blanks or letters.
 */
twins: Array<string>, 
/**
 * They had a password there, which can be checked.
 */
protected: boolean, 
/**
 * Whether that password was given; none where there was none.
 */
proven: boolean | null, 
/**
 * Their address.
 */
email: string | null, 
/**
 * Conversations.
 */
conversations: number, 
/**
 * Messages.
 */
messages: number, 
/**
 * Documents.
 */
documents: number, };

export type Kind = "file" | "user" | "conversation" | "message" | "document" | "fragment" | "attachment";

export type Skip = { 
/**
 * Why, in a sentence.
 */
reason: string, 
/**
 * What it would have been.
 */
what: Kind, 
/**
 * The file, below the source's folder, with `/`.
 */
path: string, 
/**
 * The place in it: an id, a line, a number, an offset.
 */
locator: string, };

export type Note = { 
/**
 * What is worth knowing, in a sentence.
 */
text: string, 
/**
 * The file, below the source's folder, with `/`.
 */
path: string, 
/**
 * The place in it: an id, a line, a number, an offset.
 */
locator: string, };

export type Plan = { 
/**
 * The old program.
 */
source: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * Which of its layouts.
 */
version: string | null, 
/**
 * Where it is.
 */
path: string, 
/**
 * Conversations of which everything is here already.
 */
duplicates: number, 
/**
 * All that is here already, by kind.
 */
already_here: ImportCounts, 
/**
 * Whose it is.
 */
people: Array<Share>, 
/**
 * What will not come over, and why.
 */
skipped: Array<Skip>, 
/**
 * How many more were skipped than are named.
 */
skipped_unnamed: number, 
/**
 * What comes over and is worth a word.
 */
warnings: Array<Note>, 
/**
 * What had to be assumed: the zone of times that name none.
 */
assumptions: { [key in string]: string }, 
/**
 * The size of what is read, in bytes.
 */
bytes: number, 
/**
 * What it may take on the disk, in bytes, the backup included: an estimate.
 */
disk_bytes: number, 
/**
 * How long it may take, in seconds: an estimate.
 */
seconds: number, 
/**
 * People whose chats they are.
 */
users: number, 
/**
 * Conversations.
 */
conversations: number, 
/**
 * Messages of the old program, those that are `folded` into others included.
 */
messages: number, 
/**
 * Of them, those that are no messages here: what the old program did not show (instructions, steps
 * towards an answer) stands in the metadata of what it showed.
 */
folded: number, 
/**
 * Documents.
 */
documents: number, 
/**
 * Pieces of documents' text.
 */
fragments: number, 
/**
 * What hangs on messages.
 */
attachments: number, };

export type PlannedImport = { 
/**
 * What would come over.
 */
plan: Plan, 
/**
 * What is free there; none where the system does not say.
 */
free_bytes: number | null, };

export type Mismatch = { 
/**
 * What: a conversation's id, or the name of a count.
 */
what: string, 
/**
 * As it was read.
 */
expected: string, 
/**
 * As it is.
 */
found: string, };

export type Report = { 
/**
 * The import.
 */
id: string, 
/**
 * What was written, by this run and those of the same import that were cut off.
 */
imported: ImportCounts, 
/**
 * Whether every count adds up, and every row that was read stands in the mirror as it was read.
 */
verified: boolean, 
/**
 * Where not.
 */
mismatches: Array<Mismatch>, 
/**
 * The archive of the source, in the folder of backups.
 */
backup: string | null, 
/**
 * The whole was taken back, because it was not verified and that was asked for.
 */
rolled_back: boolean, 
/**
 * The old program.
 */
source: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * Which of its layouts.
 */
version: string | null, 
/**
 * Where it is.
 */
path: string, 
/**
 * Conversations of which everything is here already.
 */
duplicates: number, 
/**
 * All that is here already, by kind.
 */
already_here: ImportCounts, 
/**
 * Whose it is.
 */
people: Array<Share>, 
/**
 * What will not come over, and why.
 */
skipped: Array<Skip>, 
/**
 * How many more were skipped than are named.
 */
skipped_unnamed: number, 
/**
 * What comes over and is worth a word.
 */
warnings: Array<Note>, 
/**
 * What had to be assumed: the zone of times that name none.
 */
assumptions: { [key in string]: string }, 
/**
 * The size of what is read, in bytes.
 */
bytes: number, 
/**
 * What it may take on the disk, in bytes, the backup included: an estimate.
 */
disk_bytes: number, 
/**
 * How long it may take, in seconds: an estimate.
 */
seconds: number, 
/**
 * People whose chats they are.
 */
users: number, 
/**
 * Conversations.
 */
conversations: number, 
/**
 * Messages of the old program, those that are `folded` into others included.
 */
messages: number, 
/**
 * Of them, those that are no messages here: what the old program did not show (instructions, steps
 * towards an answer) stands in the metadata of what it showed.
 */
folded: number, 
/**
 * Documents.
 */
documents: number, 
/**
 * Pieces of documents' text.
 */
fragments: number, 
/**
 * What hangs on messages.
 */
attachments: number, };

export type ImportStage = "reading" | "backing_up" | "writing" | "verifying";

export type ImportMoment = { 
/**
 * What it is doing.
 */
stage: ImportStage, 
/**
 * Messages so far in this stage; bytes while it is copied.
 */
done: number, 
/**
 * Of how many; none where that is not known yet.
 */
of: number | null, 
/**
 * The part of the whole that is done, from 0 to 1.
 */
share: number, 
/**
 * How much longer it takes, in milliseconds; none while that is a guess.
 */
left_ms: number | null, };

export type ImportState = { "at": "idle" } | { "at": "planning", 
/**
 * Where it is.
 */
path: string, 
/**
 * Messages so far.
 */
messages: number, } | { "at": "running", 
/**
 * What was asked for.
 */
request: ImportRequest, 
/**
 * How far it is.
 */
moment: ImportMoment, } | { "at": "pausing", 
/**
 * What was asked for.
 */
request: ImportRequest, 
/**
 * How far it is.
 */
moment: ImportMoment, } | { "at": "paused", 
/**
 * What was asked for.
 */
request: ImportRequest, 
/**
 * The import; none where it had not begun.
 */
id: string | null, } | { "at": "done", 
/**
 * The import.
 */
id: string, } | { "at": "failed", 
/**
 * What was asked for.
 */
request: ImportRequest, 
/**
 * Why.
 */
failure: Failure, };

export type ImportView = { 
/**
 * Its id.
 */
id: string, 
/**
 * The old program.
 */
source: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * Where it was.
 */
path: string, 
/**
 * Whose chats, by key; none: everybody's.
 */
users: Array<string>, 
/**
 * What times without a zone were taken for: minutes east of UTC.
 */
zone_minutes: number, 
/**
 * `running` (or cut off), `done`, `failed`, `undone`.
 */
state: string, 
/**
 * What came over; none before its end.
 */
imported: ImportCounts | null, 
/**
 * When it began.
 */
began_at: Timestamp, 
/**
 * When it ended.
 */
ended_at: Timestamp | null, 
/**
 * Until when it can be taken back; none where it cannot.
 */
undo_until: Timestamp | null, 
/**
 * The archive of the source.
 */
backup: string | null, };

export type ImportedConversations = { 
/**
 * Those that were used last.
 */
first: Array<Conversation>, 
/**
 * How many there are.
 */
all: number, };

export type Undone = { 
/**
 * Conversations that were removed.
 */
conversations: number, 
/**
 * Messages that were removed, with them or from conversations that stay.
 */
messages: number, 
/**
 * Documents that were removed.
 */
documents: number, 
/**
 * Conversations that were changed since, and stay as they are.
 */
kept: number, };

export type DoctorReport = { 
/**
 * Whether there is no finding.
 */
ok: boolean, 
/**
 * What is wrong, in sentences.
 */
findings: Array<string>, 
/**
 * The program's version.
 */
version: string, 
/**
 * SQLite's, SQLCipher's and the schema's versions.
 */
versions: { [key in string]: string }, 
/**
 * The mirror's id.
 */
mirror_id: string, 
/**
 * How the key is kept.
 */
key: KeyStore, 
/**
 * What SQLite's own check says: `ok`, or its complaints.
 */
integrity: Array<string>, 
/**
 * Rows per table, and of the search index.
 */
counts: Record<string, number>, 
/**
 * Bytes of the mirror, its log included.
 */
bytes: number, };

export type ExportFormat = "json" | "md";

export type ExportedConversation = { 
/**
 * What no column of it holds: what an older program knew.
 */
metadata: Record<string, unknown> | null, 
/**
 * The end of the branch that is shown.
 */
shown: MessageId | null, 
/**
 * All messages of all branches, oldest first.
 */
messages: Array<Message>, 
/**
 * Those in the trash.
 */
trashed: Array<TrashedMessage>, 
/**
 * The bytes that hang on them, as far as they are here.
 */
files: Array<ExportedFile>, 
/**
 * The documents that belong to it.
 */
documents: Array<ExportedDocument>, 
/**
 * Its id.
 */
id: ConversationId, 
/**
 * What the sidebar shows; empty until the first message names it.
 */
title: string, 
/**
 * Who set the title: a person's is never replaced by a machine's.
 */
title_by: TitleBy, 
/**
 * The model that the next question goes to; none means the default model.
 */
model: ModelRef | null, 
/**
 * What the model is told before the first message; none means the default.
 */
system_prompt: string | null, 
/**
 * Kept at the top of the sidebar.
 */
pinned: boolean, 
/**
 * Out of the sidebar, still found by search.
 */
archived: boolean, 
/**
 * When it was put into the trash; purged 30 days later.
 */
trashed_at: Timestamp | null, 
/**
 * Where an imported conversation came from.
 */
origin: Origin | null, 
/**
 * The id under which the older program continued it.
 */
continuation_id: string | null, 
/**
 * Messages in all branches, without trashed ones.
 */
message_count: number, 
/**
 * Answers that wait (queued, retrying or needing you); one that arrives is not counted.
 */
open_count: number, 
/**
 * When it was made.
 */
created_at: Timestamp, 
/**
 * When a field of the conversation itself last changed.
 */
updated_at: Timestamp, 
/**
 * When it was last written in; the sidebar's order.
 */
active_at: Timestamp, };

export type TrashedMessage = { 
/**
 * Since when.
 */
deleted_at: Timestamp, 
/**
 * Its id.
 */
id: MessageId, 
/**
 * The conversation that it belongs to.
 */
conversation_id: ConversationId, 
/**
 * What it follows; none for the first of a branch.
 */
parent_id: MessageId | null, 
/**
 * The answer that this one goes on from, where Continue made a sibling.
 */
continues_id: MessageId | null, 
/**
 * Who speaks.
 */
role: Role, 
/**
 * Markdown, always valid Unicode without U+0000.
 */
content: string, 
/**
 * The original bytes in base64, where `content` had to replace what JSON cannot carry.
 */
content_raw: string | null, 
/**
 * Attachments, in order.
 */
parts: Array<Part>, 
/**
 * The model that answered, or will.
 */
model: ModelRef | null, 
/**
 * Where it is on its way.
 */
state: MessageState, 
/**
 * Tokens of the prompt, as the provider counted them.
 */
tokens_in: number | null, 
/**
 * Tokens of the answer.
 */
tokens_out: number | null, 
/**
 * Milliseconds from the request to the first token.
 */
first_token_ms: number | null, 
/**
 * Cost in millionths of a US dollar, where a price is known.
 */
cost_micros: number | null, 
/**
 * What an import or a provider told beside the text.
 */
metadata: Record<string, unknown> | null, 
/**
 * The device that runs it; only this one may change an unfinished body.
 */
device_id: DeviceId | null, 
/**
 * When it was written.
 */
created_at: Timestamp, 
/**
 * When it last changed.
 */
updated_at: Timestamp, 
/**
 * When the answer ended.
 */
finished_at: Timestamp | null, };

export type ExportedDocument = { 
/**
 * Its id.
 */
id: DocumentId, 
/**
 * The conversation that it belongs to.
 */
conversation_id: ConversationId | null, 
/**
 * Its name.
 */
title: string, 
/**
 * Its type.
 */
mime: string | null, 
/**
 * Its size, in bytes.
 */
bytes: number | null, 
/**
 * The old program and its ids.
 */
origin: Origin | null, 
/**
 * What no column holds.
 */
metadata: Record<string, unknown> | null, 
/**
 * When it was added.
 */
created_at: Timestamp, 
/**
 * Since when it is in the trash.
 */
trashed_at: Timestamp | null, 
/**
 * The pieces, in order; they overlap.
 */
fragments: Array<string>, };

export type ExportedFile = { 
/**
 * As the messages' parts name them.
 */
sha256: string, 
/**
 * The bytes.
 */
base64: string, };

export type Export = { 
/**
 * Always `tidemark-export`.
 */
format: string, 
/**
 * The version of this format; 1.
 */
version: number, 
/**
 * When it was written.
 */
exported_at: Timestamp, 
/**
 * The conversations, whole.
 */
conversations: Array<ExportedConversation>, 
/**
 * Documents that belong to no conversation.
 */
documents: Array<ExportedDocument>, };

export type Proven = "matches" | "differs" | "unprotected";

export type ImportNews = { 
/**
 * Where.
 */
path: string, 
/**
 * The program, as in plans and reports.
 */
source: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * Conversations that are not here.
 */
conversations: number, 
/**
 * Messages that are not here, those of conversations that are here included.
 */
messages: number, };
