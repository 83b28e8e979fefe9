/** Loads a conversation in pages, and keeps what is loaded up to date. */
import { useCallback, useEffect, useReducer, useRef } from "react";
import * as bridge from "../../bridge";
import { onTouched } from "../../store/client";
import { append, fromPage, type Loaded, prepend, withEnd, withMessages } from "./page";

const PAGE = 60;

export type ThreadState = { at: "loading" } | { at: "failed"; failure: bridge.Failure } | { at: "ready"; loaded: Loaded };

export type Thread = {
  state: ThreadState;
  loadBefore: () => void;
  loadAfter: () => void;
  loadEnd: () => void;
  reload: () => void;
};

/** A thread from its end, or around a message. */
export function useThread(id: bridge.ConversationId, around: bridge.MessageId | null): Thread {
  const [state, setState] = useReducer((_: ThreadState, next: ThreadState) => next, { at: "loading" });
  const latest = useRef<Loaded | null>(null);
  const busy = useRef(false);
  /** Whether something changed while the first page was on its way, which may show it as it was. */
  const missed = useRef(false);
  const readAgain = useRef<() => void>(() => undefined);

  const put = useCallback((loaded: Loaded) => {
    latest.current = loaded;
    setState({ at: "ready", loaded });
  }, []);

  const open = useCallback(
    (page: bridge.PageOf) => {
      bridge
        .thread(id, PAGE, page)
        // A message that is gone is no reason to show nothing: its thread is.
        .catch((error: unknown) => (page.around === undefined ? Promise.reject(error) : bridge.thread(id, PAGE)))
        .then((loaded) => {
          put(fromPage(loaded));
          if (missed.current) readAgain.current();
          missed.current = false;
        })
        .catch((error: unknown) => setState({ at: "failed", failure: bridge.asFailure(error) }));
    },
    [id, put],
  );

  useEffect(() => open(around === null ? {} : { around }), [open, around]);

  /** One page at a time. */
  const more = useCallback(
    (read: (loaded: Loaded) => Promise<Loaded> | null) => {
      const loaded = latest.current;
      if (loaded === null || busy.current) return;
      const reading = read(loaded);
      if (reading === null) return;
      busy.current = true;
      reading
        .then(put)
        .catch(() => undefined)
        .finally(() => {
          busy.current = false;
        });
    },
    [put],
  );

  useEffect(() => {
    let reading = false;
    let again = false;
    const refresh = async (messages: Set<bridge.MessageId> | undefined, branch: boolean) => {
      const loaded = latest.current;
      if (loaded === null) {
        missed.current = true;
        return;
      }
      const known = new Set(loaded.messages.map((message) => message.id));
      const fresh = messages === undefined ? [] : await bridge.messagesById([...messages].filter((one) => known.has(one)));
      let next = withMessages(latest.current ?? loaded, fresh);
      const isNew = messages !== undefined && [...messages].some((one) => !known.has(one));
      if (branch || isNew) {
        if (next.hasAfter) next = { ...next, conversation: await bridge.conversation(id) };
        else next = withEnd(next, await bridge.thread(id, PAGE));
      }
      put(next);
    };
    const run = async (messages: Set<bridge.MessageId> | undefined, branch: boolean) => {
      if (reading) {
        again = true;
        return;
      }
      reading = true;
      try {
        await refresh(messages, branch);
        while (again) {
          again = false;
          await refresh(new Set(latest.current?.messages.slice(-PAGE).map((message) => message.id)), true);
        }
      } catch {
        // What is shown stays; the next change reads again.
      } finally {
        reading = false;
      }
    };
    const all = () => new Set(latest.current?.messages.map((message) => message.id));
    readAgain.current = () => void run(all(), true);
    return onTouched((touched) => {
      const messages = touched.everything ? all() : touched.messages.get(id);
      const branch = touched.everything || touched.threads.has(id);
      if (messages !== undefined || branch) void run(messages, branch);
    });
  }, [id, put]);

  return {
    state,
    loadBefore: useCallback(
      () =>
        more((loaded) => {
          const first = loaded.messages[0];
          if (!loaded.hasBefore || first === undefined) return null;
          return bridge.thread(id, PAGE, { before: first.id }).then((page) => prepend(latest.current ?? loaded, page));
        }),
      [id, more],
    ),
    loadAfter: useCallback(
      () =>
        more((loaded) => {
          const last = loaded.messages.at(-1);
          if (!loaded.hasAfter || last === undefined) return null;
          return bridge.threadAfter(id, last.id, PAGE).then((page) => append(latest.current ?? loaded, page));
        }),
      [id, more],
    ),
    loadEnd: useCallback(() => open({}), [open]),
    reload: useCallback(() => open(around === null ? {} : { around }), [open, around]),
  };
}
