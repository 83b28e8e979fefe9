/** Which news are for a person: those of sources that were brought over, with the import that says how. */
import type { ImportNews, ImportView } from "../../bridge";

export type Fresh = { now: ImportNews; past: ImportView };

/** What was only found is in the list of what was found; what was taken back is not wanted. */
export function freshNews(news: ImportNews[], imports: ImportView[]): Fresh[] {
  return news.flatMap((now) => {
    const past = imports.find((one) => one.path === now.path && (one.state === "done" || one.state === "failed"));
    return past !== undefined && now.conversations + now.messages > 0 ? [{ now, past }] : [];
  });
}
