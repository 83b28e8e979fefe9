/** Moves the focus from hit to hit; above the first one is the search box. */
export function walk(key: string): boolean {
  const hits = [...document.querySelectorAll<HTMLElement>(".search-hit")];
  const at = hits.findIndex((hit) => hit === document.activeElement);
  if (key === "ArrowUp" && at === 0) return focus(document.querySelector<HTMLElement>('.sidebar input[type="search"]'));
  const to = target(key, at, hits.length);
  return to !== null && focus(hits[to] ?? null);
}

function target(key: string, at: number, all: number): number | null {
  switch (key) {
    case "ArrowDown":
      return Math.min(at + 1, all - 1);
    case "ArrowUp":
      return Math.max(at - 1, 0);
    case "Home":
      return 0;
    case "End":
      return all - 1;
    default:
      return null;
  }
}

function focus(element: HTMLElement | null): boolean {
  element?.focus();
  return element !== null;
}
