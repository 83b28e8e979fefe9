/** What the window says of sync: the foot, its panel, the marks in a thread, the sync page. */
import type { Counts, Pause, SyncState } from "../bridge";
import { count } from "./common";

const changes = (n: number) => count(n, "change", "changes");

/** What a pause is, as it stands behind “Paused:”, and what a person does about it. */
const pauses: Record<Pause, { words: string; about: string }> = {
  sign_in: {
    words: "sign in again (nothing is lost)",
    about: "The session has ended. Sign in again, and sync goes on from here. Everything that you write meanwhile is kept on this computer.",
  },
  device_revoked: {
    words: "this device was signed out",
    about: "The owner of the account has signed this device out. Everything is still on this computer. Sign out here, and choose whether it stays.",
  },
  user_disabled: {
    words: "the account was disabled",
    about: "Whoever looks after the project has disabled this account. Everything is still on this computer. Sign out and choose whether it stays, or ask them.",
  },
  device_unknown: {
    words: "the server does not know this device",
    about: "The server knows this device as somebody else's: was the data folder copied? Sign out and in again, and this folder becomes a device of its own.",
  },
  wrong_key: {
    words: "the project does not accept the key",
    about: "The key may have been replaced. Copy the anon or publishable key from the project's API settings, and sign in again with it.",
  },
  forbidden: {
    words: "the server refuses this account",
    about: "The server says no more than that. Whoever looks after the project finds the reason in its logs.",
  },
  no_schema: {
    words: "the project is not set up for Tidemark",
    about: "The project's database has no tables of Tidemark's yet. Somebody with access to it installs them with this command, in a folder with Tidemark's source:",
  },
  server_too_old: {
    words: "the server has to be updated first",
    about: "This Tidemark is newer than the project's database. Somebody with access to it brings it up to date with this command, in a folder with this version's source:",
  },
  app_too_old: {
    words: "this Tidemark has to be updated first",
    about: "The project's database is newer than this Tidemark. Update Tidemark; everything here waits until then.",
  },
  project_paused: {
    words: "the project sleeps",
    about: "Supabase has paused the project. Somebody with access to its dashboard can resume it. It is asked again each hour.",
  },
  server_full: {
    words: "the server is full",
    about: "The project's database has no room left. Have room made there. It is asked again each hour.",
  },
  wrong_project: {
    words: "this is not the server that it was",
    about: "Another project, or another user, answers at the address that this device was attached to. Sign out, then sign in to the project that you mean.",
  },
  removal: {
    words: "much of what is here is gone on the server",
    about: "Much of what this computer has is gone on the server. Where you deleted it on another device, remove it here too. Where you did not, keep it: it goes up again.",
  },
};

/** Where sync is, in a few words; `ago` is how long ago it was up to date. */
function state(now: SyncState, counts: Counts, ago: string): string {
  switch (now.at) {
    case "local_only":
      return "Local only";
    case "stopped":
    case "connecting":
      return "Connecting…";
    case "syncing":
      return counts.waiting === 0 ? "Syncing…" : `Syncing ${changes(counts.waiting)}`;
    case "first_sync":
      return "Syncing for the first time…";
    case "up_to_date":
      return `Up to date, ${ago}`;
    case "offline":
      return counts.waiting === 0 ? "Offline" : `Offline. ${changes(counts.waiting)} will sync when you are back online.`;
    case "elsewhere":
      return "Another Tidemark on this computer syncs these chats.";
    case "paused":
      return `Paused: ${pauses[now.why].words}`;
    case "disk_full":
      return "Paused: the disk is full (nothing is lost)";
  }
}

/** What stands below the words in the panel, where there is more to say. */
const about: Partial<Record<SyncState["at"], string>> = {
  local_only: "Everything is on this computer and nowhere else. Attach an account, and your chats are on all your devices.",
  first_sync: "What the account has comes down. You can read and write meanwhile.",
  offline: "The project cannot be reached. Everything that you write is kept here, and sync goes on by itself.",
  elsewhere: "Nothing is to be done: what you write here goes up through it.",
  disk_full: "Nothing can be taken from the server. Make room on this computer, then choose “Sync now”.",
};

/** The names by which a person knows what was changed on two devices. */
const registers: Record<string, string> = {
  title: "Title",
  system_prompt: "Instructions",
  body: "Message",
  model: "Model",
  pinned: "Pinned",
  archived: "Archived",
  trashed_ms: "In the trash",
  continuation_id: "Continuation",
  metadata: "Details",
  name: "Name",
  value: "A setting",
};

/** Settings that sync, by the words of their own page. */
const settings: Record<string, string> = {
  theme: "Theme",
  send_with: "Send with",
  default_model: "Model of new chats",
  default_system_prompt: "Instructions for every new chat",
  temperature: "Temperature",
  max_answer_tokens: "Longest answer, in tokens",
  hold_after_hours: "Ask before sending after this many hours",
  show_educational_note: "Educational note",
  reading_width: "Reading width",
  sidebar_open: "Sidebar",
};

const requests: Record<string, string> = {
  sync_hello: "Greeting",
  refresh: "Renewing the session",
  sync_pull: "Fetching changes",
  sync_snapshot: "First fetch",
  sync_push: "Sending changes",
  sync_anchor: "Anchoring",
  sync_manifest: "Comparing lists",
  sync_rows: "Fetching single rows",
  sync_digest: "Comparing digests",
  read: "Reading",
  write: "Writing",
};

export const sync = {
  label: (words: string) => `Sync: ${words}`,
  panel: "Sync",
  state,
  about,
  pauses,
  pausedTitle: (words: string) => `Paused: ${words}`,
  changes,
  justNow: "just now",
  minutes: (n: number) => `${n} min ago`,
  hours: (n: number) => `${n} h ago`,
  yesterday: "yesterday",
  on: (day: string) => `on ${day}`,
  lastSync: "Last sync",
  never: "Not yet",
  waiting: "Waiting",
  nothingWaits: "Nothing",
  waits: (n: number, age: string) => `${changes(n)}, the oldest ${age}`,
  needYou: (n: number) => `${changes(n)} ${n === 1 ? "needs" : "need"} you`,
  conflicts: (n: number) => count(n, "conflict", "conflicts"),
  devices: "Devices",
  thisComputer: "This computer",
  lastSeen: (ago: string) => (ago === "just now" ? "Active now" : `Seen ${ago}`),
  devicesUnasked: "The server could not be asked when each was last seen.",
  now: "Sync now",
  nowRunning: "Syncing…",
  diagnostics: "Copy diagnostics",
  diagnosticsCopied: "Copied. It holds counts, times and states; nothing that you wrote, no address and no key.",
  diagnosticsFailed: "It could not be copied.",
  account: "Account",
  attach: "Attach an account",
  /** What installs the database's part; a hosted project is named by its reference. */
  install: (url: string | null) => {
    const project = /^https:\/\/([a-z0-9]+)\.supabase\.(?:co|in)\b/.exec(url ?? "")?.[1];
    if (project !== undefined) return `supabase link --project-ref ${project} && supabase db push`;
    return 'for file in migrations/server/*.sql; do psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f "$file"; done';
  },
  copyCommand: "Copy the command",
  commandCopied: "Copied",
  tryAgain: "Try again",
  removeHere: "Remove here too",
  keepHere: "Keep here",
  removeTitle: "Remove it here too?",
  removeText: "What is gone on the server is removed from this computer as well. This cannot be undone.",
  signOut: "Sign out…",

  mark: {
    waits: "Not on your other devices yet",
    stuck: "The server refused this. It waits for you.",
  },

  conflict: {
    chip: (device: string | null, at: string) => (device === null ? `Edited on another device ${at}` : `Edited on ${device} ${at}`),
    chips: (n: number) => `${n} edits on two devices`,
    what: ({ register, setting }: { register: string; setting: string | null }) =>
      setting === null ? (registers[register] ?? register.replaceAll("_", " ")) : `Setting: ${settings[setting] ?? setting.replaceAll("_", " ")}`,
    of: (what: string, where: string) => `${what} of “${where}”`,
    elsewhere: (device: string | null) => device ?? "Another device",
    here: "This computer",
    view: "View",
    viewAll: "View all",
    keepMine: "Keep mine",
    keepTheirs: "Keep the other",
    keepBoth: "Keep both",
    stands: "Shown now",
    lost: "Set aside",
    title: "Edited on two devices",
    titleOf: (what: string) => `${what}: edited on two devices`,
    about: "Both devices changed this before they had heard of each other. The later one is shown on all devices; the other is kept here until you choose.",
    aboutAll: "Two devices changed the same thing before they had heard of each other. The later one is shown on all devices; the other is kept here until you choose.",
    aboutCopy: "Both texts are in the chat, as two versions of one message. Choose which one is shown; the other stays one click away.",
    empty: "(empty)",
    yes: "Yes",
    no: "No",
    trashed: (day: string) => `Since ${day}`,
    untitled: "New chat",
    open: "Open the chat",
    settled: "Settled. Your other devices hear of it with the next sync.",
    shortcutsLabel: (what: string) => `What to do with: ${what}`,
    none: "No conflicts",
    noneHint: "When two devices change the same thing while they cannot hear of each other, the later one is shown and the other is kept here until you choose.",
  },

  parked: {
    none: "Nothing needs you",
    noneHint: "A change that the server refuses for good waits here, with the reason. Nothing that you wrote is thrown away.",
    about: "The server refused these for good. They are safe on this computer; each waits until you decide.",
    behind: (n: number) => `${changes(n)} of the same chat ${n === 1 ? "waits" : "wait"} behind it.`,
    attempts: (n: number) => (n === 1 ? "refused once" : `refused ${n.toLocaleString()} times`),
    code: (code: string) => `Code: ${code}`,
    retry: "Try again",
    retryNamed: (what: string) => `Try again: ${what}`,
    edit: "Edit",
    editNamed: (what: string) => `Edit: ${what}`,
    discard: "Discard",
    discardNamed: (what: string) => `Discard: ${what}`,
    discardTitle: "Discard this change?",
    discardText: "It becomes again what the server last said. What the server has never taken stays on this computer, and is not sent again.",
    sent: "Sent again.",
  },

  page: {
    parts: { parked: "Needs you", conflicts: "Conflicts", health: "Health" },
    counted: (name: string, n: number) => (n === 0 ? name : `${name} (${n.toLocaleString()})`),
    local: "Nothing is synced",
    localHint: "Everything is on this computer only. Attach an account, and your chats are on all your devices.",
  },

  health: {
    connection: "Connection",
    connectionAbout: "Measured by this window since it was opened. Nothing of it leaves this computer.",
    state: "Sync",
    doorbell: "Changes elsewhere",
    bellUp: "Told at once, through a live connection",
    bellDown: "Asked for each minute; the live connection is down",
    bellNone: "Not asked for",
    pushed: "Sent since start",
    pulled: "Received since start",
    rows: (n: number) => count(n, "row", "rows"),
    version: "Version of the account here",
    waiting: "Waiting to be sent",
    parked: "Refused, waiting for you",
    conflicts: "Conflicts, waiting for you",
    size: "Database on this computer",
    requests: "Requests",
    requestsAbout: "How long the server took to answer. The chart shows the latest 60.",
    requestsNone: "Nothing was asked of a server yet.",
    queries: "Database",
    queriesAbout: "How long reads and writes on this computer took, with the wait for their turn.",
    queriesNone: "Nothing was read yet.",
    name: (name: string) => requests[name] ?? name,
    columns: { name: "What", chart: "Latest", count: "Count", p50: "p50", p95: "p95", p99: "p99", max: "Slowest" },
    ms: (ms: number) => (ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`),
    chart: (name: string, from: string, to: string) => `The latest of “${name}”: ${from} to ${to}`,
    slow: "Slow ones",
    slowNone: "Nothing took long.",
    failures: "Last errors",
    failuresNone: "No request has failed.",
    when: "When",
    took: "Took",
    how: "How",
  },
} as const;
