/** Every command of the core, typed. Nothing else in the interface talks to the shell. */
import type {
  AccountStatus,
  AppState,
  Change,
  ConflictChoice,
  ConflictView,
  Conversation,
  ConversationId,
  DeviceId,
  DeviceList,
  DoctorReport,
  ExportFormat,
  FoundSource,
  Health,
  ImportedConversations,
  ImportNews,
  ImportRequest,
  ImportState,
  ImportView,
  LocalModel,
  MessageId,
  ModelEntry,
  ModelInfo,
  ModelRef,
  Organisation,
  ParkedView,
  PlannedImport,
  ProjectAddress,
  Proven,
  ProviderConfig,
  ProviderView,
  Report,
  SearchHit,
  SearchRequest,
  SendRequest,
  Sent,
  SessionView,
  Setting,
  Shelf,
  SignOutRequest,
  StreamEvent,
  SyncStatus,
  ThreadMessage,
  ThreadPage,
  Undoable,
  Undone,
  Unsynced,
  Verdict,
} from "./generated/types";
import { call, channel, hear } from "./ipc";

export * from "./generated/types";
export { asFailure } from "./ipc";

/** Hears what changed in the mirror, in batches. */
export const onChanges = (listener: (changes: Change[]) => void) => hear<Change[]>("changes", listener);

export const appState = () => call<AppState>("app_state");
export const reopen = () => call<AppState>("reopen");
export const unlock = (passphrase: string) => call<AppState>("unlock", { passphrase });
export const choosePassphrase = (passphrase: string) => call<AppState>("choose_passphrase", { passphrase });
export const recoveryKey = () => call<string>("recovery_key");
export const finishFirstRun = () => call<null>("finish_first_run");
export const openLink = (url: string) => call<null>("open_link", { url });
export const openDataDir = () => call<null>("open_data_dir");
export const doctor = () => call<DoctorReport>("doctor");

export const conversations = (shelf: Shelf) => call<Conversation[]>("conversations", { shelf });
export const conversation = (id: ConversationId) => call<Conversation>("conversation", { id });
export const rename = (id: ConversationId, title: string) => call<Conversation>("rename", { id, title });
export const pin = (id: ConversationId, pinned: boolean) => call<Conversation>("pin", { id, pinned });
export const archive = (id: ConversationId, archived: boolean) => call<Conversation>("archive", { id, archived });
export const trash = (id: ConversationId) => call<Conversation>("trash", { id });
export const restore = (id: ConversationId) => call<Conversation>("restore", { id });
export const deleteForever = (id: ConversationId) => call<null>("delete_forever", { id });
export const duplicate = (id: ConversationId) => call<Conversation>("duplicate", { id });
export const setModel = (id: ConversationId, model: ModelRef | null) => call<Conversation>("set_model", { id, model });
export const setSystemPrompt = (id: ConversationId, prompt: string | null) => call<Conversation>("set_system_prompt", { id, prompt });
export const undoable = () => call<Undoable | null>("undoable");
export const undo = (id: number | null) => call<Undoable>("undo", { id });
export const exportText = (id: ConversationId, format: ExportFormat) => call<string>("export_text", { id, format });
/** Asks where to; `null` when the person changed their mind. */
export const saveExport = (id: ConversationId, format: ExportFormat) => call<string | null>("save_export", { id, format });

export type PageOf = { before?: MessageId; around?: MessageId };
export const thread = (conversation_id: ConversationId, limit: number, page: PageOf = {}) =>
  call<ThreadPage>("thread", { conversation_id, limit, before: page.before ?? null, around: page.around ?? null });
export const threadAfter = (conversation_id: ConversationId, after: MessageId, limit: number) =>
  call<ThreadPage>("thread_after", { conversation_id, after, limit });
export const messagesById = (ids: MessageId[]) => call<ThreadMessage[]>("messages_by_id", { ids });
export const send = (request: SendRequest) => call<Sent>("send", { request });
export const say = (request: SendRequest) => call<Sent>("say", { request });
export const regenerate = (message_id: MessageId, model: ModelRef | null = null) => call<Sent>("regenerate", { message_id, model });
export const edit = (message_id: MessageId, content: string) => call<Sent>("edit", { message_id, content });
export const continueAnswer = (message_id: MessageId) => call<Sent>("continue_answer", { message_id });
export const stop = (message_id: MessageId) => call<null>("stop", { message_id });
export const keep = (message_id: MessageId) => call<null>("keep", { message_id });
export const retryNow = (message_id: MessageId) => call<Sent>("retry_now", { message_id });
export const answerWith = (message_id: MessageId, model: ModelRef) => call<Sent>("answer_with", { message_id, model });
export const sendHeld = (conversation_id: ConversationId | null) => call<null>("send_held", { conversation_id });
export const chooseBranch = (message_id: MessageId) => call<null>("choose_branch", { message_id });
export const follow = (message_id: MessageId, listener: (event: StreamEvent) => void) =>
  call<null>("follow", { message_id, channel: channel(listener) });
export const draft = (conversation_id: ConversationId | null) => call<string>("draft", { conversation_id });
export const saveDraft = (conversation_id: ConversationId | null, content: string) => call<null>("save_draft", { conversation_id, content });
export const search = (request: SearchRequest) => call<SearchHit[]>("search", { request });

export const models = () => call<ModelEntry[]>("models");
export const setDefaultModel = (model: ModelRef) => call<null>("set_default_model", { model });
export const localModels = () => call<LocalModel[]>("local_models");
export const downloadModel = (id: string) => call<null>("download_model", { id });
export const pauseDownload = (id: string) => call<null>("pause_download", { id });
export const removeModel = (id: string) => call<null>("remove_model", { id });
/** Asks for a file; `null` when the person changed their mind. */
export const addLocalModel = (path: string | null = null) => call<LocalModel | null>("add_local_model", { path });
export const providers = () => call<ProviderView[]>("providers");
export const providerPresets = () => call<ProviderConfig[]>("provider_presets");
export const saveProvider = (config: ProviderConfig) => call<ProviderView>("save_provider", { config });
export const removeProvider = (id: string) => call<null>("remove_provider", { id });
export const setKey = (provider_id: string, key: string | null) => call<null>("set_key", { provider_id, key });
export const providerModels = (id: string) => call<ModelInfo[]>("provider_models", { id });

export const settings = () => call<Setting[]>("settings");
export const setSetting = (key: string, value: unknown) => call<Setting>("set_setting", { key, value });

/** `project` is `null` for the one that was entered before, or the organisation's. */
export type Credentials = { project: ProjectAddress | null; email: string; password: string };
export const account = () => call<AccountStatus>("account");
export const organisation = () => call<Organisation>("organisation");
export const signUp = (who: Credentials) => call<AccountStatus>("sign_up", who);
export const signIn = (who: Credentials) => call<AccountStatus>("sign_in", who);
export const forgotPassword = (project: ProjectAddress | null, email: string) => call<null>("forgot_password", { project, email });
export const resetPassword = (who: Credentials & { code: string }) => call<AccountStatus>("reset_password", who);
export const signOut = (how: SignOutRequest) => call<AccountStatus>("sign_out", { how });
export const deleteAccount = () => call<AccountStatus>("delete_account");
export const devices = () => call<DeviceList>("devices");
export const revokeDevice = (id: DeviceId) => call<DeviceList>("revoke_device", { id });
export const sessions = () => call<SessionView[]>("sessions");
export const endSession = (id: string) => call<SessionView[]>("end_session", { id });

export const syncStatus = () => call<SyncStatus>("sync_status");
export const syncNow = () => call<null>("sync_now");
export const answerRemoval = (verdict: Verdict) => call<null>("answer_removal", { verdict });
/** Of one conversation, or all. */
export const conflicts = (conversation_id: ConversationId | null) => call<ConflictView[]>("conflicts", { conversation_id });
export const settleConflict = (id: number, choice: ConflictChoice) => call<null>("settle_conflict", { id, choice });
export const parked = () => call<ParkedView[]>("parked");
export const retryParked = (n: number) => call<null>("retry_parked", { n });
export const discardParked = (n: number) => call<null>("discard_parked", { n });
export const unsynced = (conversation_id: ConversationId) => call<Unsynced[]>("unsynced", { conversation_id });
export const health = () => call<Health>("health");

/** What older programs left on this computer. */
export const importFind = () => call<FoundSource[]>("import_find");
/** Whose data stands at a path. */
export const importLook = (path: string) => call<FoundSource>("import_look", { path });
/** Asks for a folder or a file; `null` when the person changed their mind. */
export const importChoose = (what: "folder" | "file") => call<FoundSource | null>("import_choose", { what });
/** Rejects with `interrupted` where the reading was ended by `importPause`. */
export const importPlan = (request: ImportRequest) => call<PlannedImport>("import_plan", { request });
export const importProve = (path: string, person: string, password: string) => call<Proven>("import_prove", { path, person, password });
export const importStart = (request: ImportRequest) => call<null>("import_start", { request });
export const importPause = () => call<null>("import_pause");
/** The one that was paused, or this one. */
export const importGoOn = (id: string | null) => call<null>("import_go_on", { id });
/** Its end was seen. */
export const importSettle = () => call<null>("import_settle");
export const importState = () => call<ImportState>("import_state");
/** What is new in old programs that are still in use; asking begins to keep them in sight. */
export const importNews = () => call<ImportNews[]>("import_news");
export const imports = () => call<ImportView[]>("imports");
export const importReport = (id: string) => call<Report>("import_report", { id });
export const importedConversations = (id: string) => call<ImportedConversations>("imported_conversations", { id });
export const importUndo = (id: string) => call<Undone>("import_undo", { id });
/** Asks where to; `null` when the person changed their mind. */
export const saveImportReport = (id: string, format: "txt" | "json") => call<string | null>("save_import_report", { id, format });
export const openImportBackups = () => call<null>("open_import_backups");

/** What is dragged over the window and dropped on it: files and folders, by their paths. */
export type Dragged = { at: "over" } | { at: "left" } | { at: "dropped"; paths: string[] };
export function onDragged(listener: (dragged: Dragged) => void): () => void {
  const ends = [
    hear("tauri://drag-enter", () => listener({ at: "over" })),
    hear("tauri://drag-leave", () => listener({ at: "left" })),
    hear<{ paths: string[] }>("tauri://drag-drop", ({ paths }) => listener({ at: "dropped", paths })),
  ];
  return () => ends.forEach((end) => end());
}
