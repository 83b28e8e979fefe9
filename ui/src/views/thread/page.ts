/** The loaded part of a thread: pure merging, so that nothing that is on screen moves without cause. */
import type { Conversation, MessageId, ThreadMessage, ThreadPage } from "../../bridge";

export type Loaded = { conversation: Conversation; messages: ThreadMessage[]; hasBefore: boolean; hasAfter: boolean };

export const fromPage = (page: ThreadPage): Loaded => ({
  conversation: page.conversation,
  messages: page.messages,
  hasBefore: page.has_before,
  hasAfter: page.has_after,
});

/** Older messages come above. */
export function prepend(loaded: Loaded, page: ThreadPage): Loaded {
  const known = new Set(loaded.messages.map((message) => message.id));
  return { ...loaded, messages: [...page.messages.filter((message) => !known.has(message.id)), ...loaded.messages], hasBefore: page.has_before };
}

/** Newer messages come below. */
export function append(loaded: Loaded, page: ThreadPage): Loaded {
  const known = new Set(loaded.messages.map((message) => message.id));
  return { ...loaded, messages: [...loaded.messages, ...page.messages.filter((message) => !known.has(message.id))], hasAfter: page.has_after };
}

/** The end of the branch, read again: what is above it stays as long as it is the same branch. */
export function withEnd(loaded: Loaded, page: ThreadPage): Loaded {
  const first = page.messages[0];
  const at = first === undefined ? -1 : loaded.messages.findIndex((message) => message.id === first.id);
  if (first !== undefined && at < 0) {
    const parent = loaded.messages.findIndex((message) => message.id === first.parent_id);
    if (parent < 0) return fromPage(page);
    return { ...fromPage(page), messages: [...loaded.messages.slice(0, parent + 1), ...page.messages], hasBefore: loaded.hasBefore };
  }
  const above = loaded.messages.slice(0, Math.max(0, at));
  return { ...fromPage(page), messages: keepSame(loaded, [...above, ...page.messages]), hasBefore: above.length > 0 ? loaded.hasBefore : page.has_before };
}

/** Messages read again, each in its place. */
export function withMessages(loaded: Loaded, fresh: ThreadMessage[]): Loaded {
  const byId = new Map(fresh.map((message) => [message.id, message]));
  return { ...loaded, messages: keepSame(loaded, loaded.messages.map((message) => byId.get(message.id) ?? message)) };
}

/** A row that says the same stays the same object, so that it is not drawn again. */
function keepSame(loaded: Loaded, messages: ThreadMessage[]): ThreadMessage[] {
  const old = new Map(loaded.messages.map((message) => [message.id, message]));
  return messages.map((message) => {
    const before = old.get(message.id);
    return before !== undefined && JSON.stringify(before) === JSON.stringify(message) ? before : message;
  });
}

/** Whether an answer is on its way and its text comes through a stream. */
export const isArriving = (message: ThreadMessage): boolean => message.state === "sending" || message.state === "streaming";

/** Whether an answer has not been given yet. */
export const isOpen = (message: ThreadMessage): boolean =>
  isArriving(message) || message.state === "queued" || message.state === "retrying" || message.state === "needs_you";

/** The last message of this role. */
export function lastOf(messages: ThreadMessage[], role: "user" | "assistant"): ThreadMessage | undefined {
  return messages.findLast((message) => message.role === role);
}

/** The answer that Stop stops: the first that is on its way. What waits has its own Cancel, and Send stays to queue more. */
export function toStop(messages: ThreadMessage[]): MessageId | null {
  return messages.find(isArriving)?.id ?? null;
}
