/** Text that is being typed into a setting: saved when the person leaves the field, or the page. */
import { useEffect, useRef, useState } from "react";

/**
 * `commit` is called with what was typed and not saved yet: on leaving the field, on Enter, and when
 * the field goes away, since a shortcut can leave the page while the focus is in it.
 */
export function useTyped(stored: string, commit: (typed: string) => Promise<boolean>) {
  const [typed, setTyped] = useState<string | null>(null);
  const latest = useRef({ typed, commit });
  useEffect(() => {
    latest.current = { typed, commit };
  });
  useEffect(
    () => () => {
      const { typed: last, commit: save } = latest.current;
      if (last !== null) void save(last);
    },
    [],
  );
  const leave = () => {
    if (typed !== null) void settle(typed);
  };
  // What could not be saved stays in the field.
  const settle = async (last: string) => {
    if (last === stored || (await commit(last))) setTyped((now) => (now === last ? null : now));
  };
  return { value: typed ?? stored, set: setTyped, leave };
}
