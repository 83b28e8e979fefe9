// Written by `cargo xtask types` from crates/core; a difference fails the tests.

export type ConversationId = string;

export type MessageId = string;

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
key: string, } | { "kind": "models" } | { "kind": "undo" } | { "kind": "everything" };

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

export type SyncState = { "at": "local_only" };

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
 * All messages of all branches, oldest first.
 */
messages: Array<Message>, 
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
conversations: Array<ExportedConversation>, };
