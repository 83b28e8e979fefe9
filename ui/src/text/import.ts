/** What importing says. */
import type { ImportStage, ImportView, Kind, Undone } from "../bridge";
import { count } from "./common";

const chats = (n: number) => count(n, "chat", "chats");
const messages = (n: number) => count(n, "message", "messages");
const documents = (n: number) => count(n, "document", "documents");

/** `3 chats, 40 messages and 2 documents`; what there is none of is left out. */
function listed(parts: { conversations: number; messages: number; documents: number }): string {
  const all = [
    parts.conversations > 0 && chats(parts.conversations),
    parts.messages > 0 && messages(parts.messages),
    parts.documents > 0 && documents(parts.documents),
  ].filter((one) => one !== false);
  if (all.length === 0) return "nothing";
  return all.length === 1 ? (all[0] ?? "") : `${all.slice(0, -1).join(", ")} and ${all.at(-1) ?? ""}`;
}

/** `less than a minute`, `about 12 minutes`, `about 2 hours`. */
export function span(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 50_000) return "less than a minute";
  if (minutes < 90) return `about ${count(Math.max(1, minutes), "minute", "minutes")}`;
  return `about ${count(Math.round(minutes / 60), "hour", "hours")}`;
}

export const imports = {
  intro: "Brings over the chats that other programs left on this computer. What they wrote is only read, and stays as it is. You see what would come over before anything does.",

  found: {
    title: "Found on this computer",
    looking: "Looking through your folders…",
    none: "Nothing was found on this computer",
    noneHint: "Tidemark looked in your home folder, downloads and documents. Choose an export of ChatGPT, Claude and others yourself, or a folder.",
    look: "See what is there",
    lookNamed: (name: string, path: string) => `See what is there: ${name}, ${path}`,
    again: "Look again",
    folder: "Choose a folder…",
    file: "Choose an archive or file…",
    drop: "Or drop a folder or an archive on this window.",
    dropHere: "Drop it here to see what is in it",
    archive: "Archive",
    before: (day: string) => `Imported ${day}`,
  },

  reading: {
    title: (name: string) => `Reading ${name}`,
    about: "Nothing is written yet.",
    soFar: (n: number) => (n === 0 ? "Opening…" : `${messages(n)} so far`),
    cancel: "Stop reading",
  },

  who: {
    title: "Which of these are you?",
    about: (name: string) => `${name} was used by more than one person. Tick yourself, under every name that you had.`,
    counts: listed,
    nobody: "A folder that belongs to nobody",
    nobodyAbout: "The old program does not know any more whose it is.",
    twin: "Another name looks almost like this one. They are different people.",
    also: (names: string[]) => `Also called ${names.join(", ")}`,
    key: (key: string) => `Id ${key}`,
    protectedBy: "Has a password",
    everybody: "Everybody",
    everybodyAbout: "Brings over what all of them have, each chat marked with whose it was. For whoever looks after this computer.",
    none: "Tick at least one.",
    go: "Go on",
  },

  prove: {
    title: "Your old password",
    about: "More than one person used this program. Your old password there makes sure that these chats are yours. It is compared on this computer and kept nowhere.",
    of: (name: string) => `Password of ${name}`,
    forgot: "I no longer know it",
    forgotAbout: (name: string) => `I am ${name}, and go on without it.`,
    wrong: "This is not the password that the old program had.",
    missing: "Give the old password, or tick that you no longer know it.",
    check: "Go on",
    checking: "Checking…",
  },

  plan: {
    title: "What would come over",
    from: (name: string, version: string | null) => (version === null ? name : `${name}, layout ${version}`),
    kinds: { conversations: "Chats", messages: "Messages", documents: "Documents", fragments: "Pieces of text", attachments: "Attachments" },
    what: "What",
    found: "Found",
    here: "Here already",
    fresh: "New",
    duplicates: (n: number) => `${chats(n)} ${n === 1 ? "is" : "are"} here already, and will not come twice.`,
    nothingNew: "Everything that is there is here already. Nothing new would come over.",
    zone: "Times in the old program",
    zoneAbout: "It wrote times without saying which time zone they are in. Its own words are kept beside each; chats from the other half of the year may be an hour off.",
    zoneHere: "As on this computer",
    zoneOthers: "Others",
    needs: (disk: string, time: string) => `Takes ${time}, and at most ${disk} on this disk, the backup included.`,
    tooLarge: (disk: string, free: string) => `This needs up to ${disk}, and ${free} are free on this disk. Make room first.`,
    backup: "Before anything is written, a copy of the old files is made and checked. You can undo the import for 30 days.",
    start: (n: number) => `Bring over ${chats(n)}`,
    again: "Bring it over again",
    other: "Choose another",
    people: "Choose again",
  },

  skipped: {
    title: (n: number) => `${count(n, "thing", "things")} will not come over`,
    titleDone: (n: number) => `${count(n, "thing", "things")} did not come over`,
    none: "Everything that was found can come over.",
    noneDone: "Nothing was left behind.",
    more: (n: number) => `Show ${n.toLocaleString()} more`,
    unnamed: (n: number) => `${n.toLocaleString()} more are counted and not named.`,
    what: {
      file: "File",
      user: "Person",
      conversation: "Chat",
      message: "Message",
      document: "Document",
      fragment: "Piece of text",
      attachment: "Attachment",
    } satisfies Record<Kind, string> as Record<Kind, string>,
  },
  notes: (n: number) => `${count(n, "remark", "remarks")} about what comes over`,

  running: {
    title: (name: string) => `Bringing over ${name}`,
    stages: {
      reading: "Reading what is there",
      backing_up: "Copying the old files, to be safe",
      writing: "Writing",
      verifying: "Comparing every message with its source",
    } satisfies Record<ImportStage, string> as Record<ImportStage, string>,
    of: (done: number, all: number) => `${done.toLocaleString()} of ${messages(all)}`,
    left: (ms: number) => `${span(ms)} left`,
    label: "Progress of the import",
    background: "You can use Tidemark meanwhile. It goes on in the background.",
    pause: "Pause",
    pausing: "Pausing…",
    percent: (share: number) => `${Math.floor(share * 100)} %`,
  },

  paused: {
    title: "An import is not at its end",
    about: (path: string) => `What came over from ${path} is here, and nothing comes twice when it goes on.`,
    goOn: "Go on",
    undo: "Take back what came over",
  },
  failed: {
    title: "The import could not go on",
    goOn: "Try again",
    close: "Close",
  },

  report: {
    title: "Report",
    verified: (parts: Parameters<typeof listed>[0]) => `${upper(listed(parts))} came over`,
    verifiedNone: "Nothing new came over",
    verifiedAbout: "Every count adds up, and every message that was read is here as it was read.",
    wrong: "Not everything is as it should be",
    wrongAbout: (n: number) => `${count(n, "thing differs", "things differ")} from what was read. The old files are untouched. Undo the import, and try again.`,
    rolledBack: "Nothing came over",
    rolledBackAbout: "Something differed from what was read, so everything was taken back. The old files are untouched.",
    undone: "Taken back",
    undoneAbout: "This import was taken back. What was changed since then stayed.",
    imported: "Came over",
    mismatch: (expected: string, found: string) => `${expected} read, ${found} here`,
    chats: "The chats that came over",
    chatsMore: (n: number) => `and ${chats(n)} more, in the sidebar`,
    untitled: "Untitled chat",
    backup: "Copy of the old files",
    openBackups: "Open folder",
    saveText: "Save as text…",
    saveJson: "Save as JSON…",
    saved: (path: string) => `Saved: ${path}`,
    undo: "Undo this import…",
    undoUntil: (day: string) => `You can undo it until ${day}.`,
    close: "Done",
    show: "Show the report",
    ready: (n: number) => `The import is at its end: ${chats(n)} came over.`,
    readyWrong: "The import is at its end, but not everything is as it should be.",
  },

  undo: {
    title: "Undo this import?",
    text: "What it brought is removed from this computer, and from your other devices where an account is attached. Chats that you have written in since stay. The old program's files are not touched.",
    action: "Undo the import",
    done: ({ conversations, documents: n, kept }: Undone) =>
      `Taken back: ${listed({ conversations, messages: 0, documents: n })}.${kept > 0 ? ` ${chats(kept)} that you changed since ${kept === 1 ? "stays" : "stay"}.` : ""}`,
  },

  news: {
    label: "New in older programs",
    title: (conversations: number, n: number, name: string) =>
      conversations > 0 ? `${count(conversations, "new chat", "new chats")} in ${name}` : `${count(n, "new message", "new messages")} in ${name}`,
    about: "Written there since the last import.",
    bring: "Bring them over",
    bringNamed: (name: string, path: string) => `Bring them over: ${name}, ${path}`,
  },

  past: {
    title: "Earlier imports",
    none: "Nothing was imported yet.",
    states: (state: ImportView["state"]) => STATES[state] ?? state,
    brought: (parts: Parameters<typeof listed>[0]) => `${listed(parts)} came over`,
    people: (names: string[]) => `for ${names.join(", ")}`,
    report: "Report",
    reportNamed: (name: string, day: string) => `Report: ${name}, ${day}`,
    undo: "Undo",
    undoNamed: (name: string, day: string) => `Undo: ${name}, ${day}`,
    goOn: "Go on",
    goOnNamed: (name: string, day: string) => `Go on: ${name}, ${day}`,
  },

  foot: {
    running: (percent: string) => `Importing, ${percent}`,
    pausing: "Pausing the import…",
    paused: "An import is paused",
    failed: "The import needs you",
    done: "The import is at its end",
    label: (words: string) => `Import: ${words}`,
  },

  firstRun: {
    title: "Bring your chats along",
    about: "This is optional. You find it later under Settings, Import.",
    running: "You can go on; it continues in the background.",
  },
} as const;

const STATES: Record<string, string> = {
  running: "Not at its end",
  done: "Complete",
  failed: "Not verified",
  undone: "Taken back",
};

const upper = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);
