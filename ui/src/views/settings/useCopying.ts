import { useState } from "react";

/** Copies a text, and says whether that worked. */
export function useCopying(done: string, failed: string) {
  const [said, setSaid] = useState("");
  const fail = () => setSaid(failed);
  const copy = (value: string) => {
    navigator.clipboard.writeText(value).then(() => setSaid(done), fail);
  };
  return { said, copy, fail };
}
