/** The one place that knows Tauri: calling, hearing, following. */
import { Channel, invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Code, Failure } from "./generated/types";

/** Calls a command. Rejects with a `Failure`, whatever went wrong. */
export async function call<T>(command: string, args: Record<string, unknown> = {}): Promise<T> {
  try {
    return await invoke<T>(command, args);
  } catch (error) {
    throw asFailure(error);
  }
}

/** Any thrown thing as a failure that can be shown. */
export function asFailure(error: unknown): Failure {
  if (isFailure(error)) return error;
  const code: Code = "internal";
  return {
    code,
    message: "Tidemark could not do that. Nothing was lost.",
    hint: typeof error === "string" && error.length < 200 ? error : null,
  };
}

function isFailure(value: unknown): value is Failure {
  return typeof value === "object" && value !== null && "code" in value && "message" in value && typeof value.message === "string";
}

/** Hears an event of the shell until the returned function is called. */
export function hear<T>(event: string, listener: (payload: T) => void): () => void {
  let stopped = false;
  let stop: (() => void) | undefined;
  void listen<T>(event, ({ payload }) => listener(payload)).then((unlisten) => {
    if (stopped) unlisten();
    else stop = unlisten;
  });
  return () => {
    stopped = true;
    stop?.();
  };
}

/** A channel that a command writes into. */
export function channel<T>(listener: (message: T) => void): Channel<T> {
  const made = new Channel<T>();
  made.onmessage = listener;
  return made;
}
