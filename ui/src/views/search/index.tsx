/** What the sidebar's search box finds: chats by title, then messages, newest first. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import * as bridge from "../../bridge";
import { EmptyState, FailureState, PageHead, Skeleton } from "../../components";
import { keys } from "../../store/keys";
import { useView } from "../../store/view";
import { text } from "../../text";
import { Hit } from "./Hit";
import "./search.css";

const LIMIT = 200;

export default function SearchView() {
  const searched = useView((state) => state.searchText).trim();
  const found = useQuery<bridge.SearchHit[], bridge.Failure>({
    queryKey: keys.search(searched, null),
    queryFn: () => bridge.search({ text: searched, conversation_id: null, limit: LIMIT }),
    enabled: searched !== "",
    placeholderData: keepPreviousData,
    // Messages change without a word to this list, so every visit looks again.
    staleTime: 0,
    gcTime: 30_000,
  });
  return (
    <section aria-label={text.search.label} className="page search" data-region="search">
      <PageHead title={text.search.title}>
        <span className="search-count" role="status">
          {searched !== "" && found.data ? text.search.found(found.data.length) : ""}
        </span>
      </PageHead>
      <Found found={found} searched={searched} />
    </section>
  );
}

function Found({ found, searched }: { found: ReturnType<typeof useQuery<bridge.SearchHit[], bridge.Failure>>; searched: string }) {
  if (searched === "") {
    return (
      <EmptyState icon="search" title={text.search.begin}>
        {text.search.beginHint}
      </EmptyState>
    );
  }
  if (found.isError) return <FailureState failure={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <Skeleton lines={6} />;
  if (found.data.length === 0) {
    return (
      <EmptyState icon="search" title={text.search.nothing(searched)}>
        {text.search.nothingHint}
      </EmptyState>
    );
  }
  return <Hits hits={found.data} />;
}

function Hits({ hits }: { hits: bridge.SearchHit[] }) {
  const [titles, messages] = useMemo(() => grouped(hits), [hits]);
  return (
    <div className="page-body search-hits">
      <Group hits={titles} title={text.search.titles} />
      <Group hits={messages} title={text.search.messages} />
      {hits.length >= LIMIT && <p className="search-more">{text.search.first(LIMIT)}</p>}
    </div>
  );
}

function Group({ hits, title }: { hits: bridge.SearchHit[]; title: string }) {
  if (hits.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2 className="search-group">{title}</h2>
      <ul>
        {hits.map((hit) => (
          <li key={`${hit.conversation_id}/${hit.message_id ?? ""}`}>
            <Hit hit={hit} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Titles as the core ranks them; messages newest first. */
function grouped(hits: bridge.SearchHit[]): [bridge.SearchHit[], bridge.SearchHit[]] {
  const messages = hits.filter((hit) => hit.message_id !== null);
  messages.sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  return [hits.filter((hit) => hit.message_id === null), messages];
}
