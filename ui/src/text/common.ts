/** Words that all views share. */
export const common = {
  product: "Tidemark",
  close: "Close",
  dismiss: "Dismiss",
  cancel: "Cancel",
  save: "Save",
  done: "Done",
  undo: "Undo",
  tryAgain: "Try again",
  delete: "Delete",
  back: "Back",
  next: "Next",
  notifications: "Notifications",
  newChatTitle: "New chat",
  thisComputer: "This computer",
  opening: "Opening…",

  keys: {
    newChat: "New chat",
    composer: "Write a message",
    stop: "Stop the answer",
    editLast: "Edit your last message",
    copyAnswer: "Copy the last answer",
    regenerate: "Ask again",
    previousMessage: "Previous message",
    nextMessage: "Next message",
    previousBranch: "Previous version",
    nextBranch: "Next version",
    palette: "Go to anything",
    findInChat: "Find in this chat",
    searchAll: "Search all chats",
    undo: "Undo",
    sidebar: "Show or hide the sidebar",
    settings: "Settings",
    shortcuts: "Keyboard shortcuts",
    nextRegion: "Next part of the window",
  },
} as const;

/** `1 word`, `412 words`: numbers as the person's system writes them. */
export function count(n: number, one: string, many: string): string {
  return `${n.toLocaleString()} ${n === 1 ? one : many}`;
}
