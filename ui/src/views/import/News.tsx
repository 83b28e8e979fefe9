/** What was written in an old program since it was imported: it is still in use. */
import { Button, Icon } from "../../components";
import { useImportNews, useImports, useImportState } from "../../store/queries";
import { text } from "../../text";
import { lookAgain, useFlow } from "./flow";
import { freshNews } from "./fresh";

const words = text.imports.news;

export function News() {
  const news = freshNews(useImportNews().data ?? [], useImports().data ?? []);
  const at = useImportState().data?.at;
  const flow = useFlow().at;
  // Whoever is in the middle of something is not called away from it.
  if (news.length === 0 || at !== "idle" || flow !== "found") return null;
  return (
    <section aria-label={words.label} className="import">
      {news.map(({ now, past }) => (
        <div className="import-notice" key={now.path}>
          <Icon name="download" size={18} />
          <div className="import-notice-body">
            <h3 className="import-notice-title">{words.title(now.conversations, now.messages, now.name)}</h3>
            <p className="setting-about">
              {words.about} <span className="card-path">{now.path}</span>
            </p>
            <div className="import-actions">
              <Button
                aria-label={words.bringNamed(now.name, now.path)}
                onClick={() => void lookAgain({ source: now.source, name: now.name, path: now.path, bytes: 0 }, past.users, past.zone_minutes)}
                tone="primary"
              >
                {words.bring}
              </Button>
            </div>
          </div>
        </div>
      ))}
    </section>
  );
}
