/** What older programs left on this computer, and the ways to name something else. */
import { useEffect, useRef } from "react";
import * as bridge from "../../bridge";
import { Banner, Button, EmptyState, FailureState, Skeleton } from "../../components";
import { useFound, useImports } from "../../store/queries";
import { text } from "../../text";
import { day, size } from "../../text/views";
import { inWords } from "../locked/useOpening";
import { useDoing } from "../settings/useDoing";
import { look } from "./flow";
import { useDragging } from "./useDropped";

const words = text.imports.found;

export function Found() {
  const { data, error, isFetching, refetch } = useFound();
  const choosing = useDoing();
  const dragging = useDragging();
  // It is looked for whenever it is shown: an old program may have been used meanwhile.
  const looked = useRef(data !== undefined);
  useEffect(() => {
    if (looked.current) void refetch();
  }, [refetch]);
  const choose = (what: "folder" | "file") =>
    void choosing.run(async () => {
      const source = await bridge.importChoose(what);
      if (source !== null) void look(source);
    });
  return (
    <div className="import-found" data-dragging={dragging || undefined}>
      <section aria-label={words.title} className="setting-group">
        <div className="setting-group-head">
          <h3 className="setting-group-title">{words.title}</h3>
          {data !== undefined && (
            <Button disabled={isFetching} icon="retry" onClick={() => void refetch()} size="small" tone="quiet">
              {words.again}
            </Button>
          )}
        </div>
        {data !== undefined ? <List found={data} /> : error !== null ? <FailureState failure={error} onRetry={() => void refetch()} /> : <Looking />}
      </section>
      <div className="import-ways">
        <div className="import-actions">
          <Button disabled={choosing.busy} icon="folder" onClick={() => choose("folder")}>
            {words.folder}
          </Button>
          <Button disabled={choosing.busy} icon="archive" onClick={() => choose("file")}>
            {words.file}
          </Button>
        </div>
        <p className="setting-about">{dragging ? words.dropHere : words.drop}</p>
        {choosing.failure !== null && <Banner tone="failure">{inWords(choosing.failure)}</Banner>}
      </div>
    </div>
  );
}

const Looking = () => (
  <div role="status">
    <p className="setting-about">{words.looking}</p>
    <Skeleton lines={3} />
  </div>
);

function List({ found }: { found: bridge.FoundSource[] }) {
  const past = useImports().data ?? [];
  if (found.length === 0) {
    return (
      <EmptyState icon="search" title={words.none}>
        {words.noneHint}
      </EmptyState>
    );
  }
  return (
    <ul className="cards import-list">
      {found.map((source) => {
        const before = past.find((one) => one.path === source.path && one.state !== "undone");
        return (
          <li className="card" key={source.path}>
            <div className="card-text">
              <h4 className="card-title">{source.name}</h4>
              <p className="card-path">{source.path}</p>
              <p className="card-facts">
                <span>{size(source.bytes)}</span>
                {before && <span>{words.before(day(before.began_at))}</span>}
              </p>
            </div>
            <div className="card-actions">
              <Button aria-label={words.lookNamed(source.name, source.path)} onClick={() => void look(source, before?.zone_minutes)} size="small">
                {words.look}
              </Button>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
