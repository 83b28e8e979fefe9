/** The settings: one page at a time, saved as they are changed. */
import type { ReactNode } from "react";
import { FailureState, PageHead, Skeleton } from "../../components";
import { useSettings } from "../../store/queries";
import { type SettingsPage, show } from "../../store/view";
import { text } from "../../text";
import { AccountPage } from "../account/AccountPage";
import { ImportPage } from "../import/ImportPage";
import { SyncPage } from "../sync/page/SyncPage";
import { AboutPage } from "./AboutPage";
import { AppearancePage } from "./AppearancePage";
import { DataPage } from "./DataPage";
import { GeneralPage } from "./GeneralPage";
import { KeyboardPage } from "./KeyboardPage";
import { ModelsPage } from "./ModelsPage";
import "./settings.css";

const PAGES = {
  general: GeneralPage,
  models: ModelsPage,
  account: AccountPage,
  sync: SyncPage,
  import: ImportPage,
  appearance: AppearancePage,
  keyboard: KeyboardPage,
  data: DataPage,
  about: AboutPage,
} as const satisfies Record<SettingsPage, () => ReactNode>;

export default function SettingsView({ page }: { page: SettingsPage }) {
  return (
    <section aria-label={text.settings.title} className="settings" data-region="settings">
      <PageHead title={text.settings.title} />
      <div className="settings-columns">
        <Pages current={page} />
        {/* Each page begins at its top. */}
        <div className="settings-scroll" key={page}>
          <Page page={page} />
        </div>
      </div>
    </section>
  );
}

function Pages({ current }: { current: SettingsPage }) {
  return (
    <nav aria-label={text.settings.title} className="settings-nav">
      {(Object.keys(PAGES) as SettingsPage[]).map((page) => (
        <button aria-current={page === current ? "page" : undefined} className="settings-tab" key={page} onClick={() => show.settings(page)} type="button">
          {text.settings.pages[page]}
        </button>
      ))}
    </nav>
  );
}

function Page({ page }: { page: SettingsPage }) {
  const settings = useSettings();
  const Inside = PAGES[page];
  if (settings.isPending) return <Skeleton lines={6} />;
  if (settings.isError) return <FailureState failure={settings.error} onRetry={() => void settings.refetch()} />;
  return (
    <div className="settings-page">
      <h2 className="settings-title">{text.settings.pages[page]}</h2>
      <Inside />
    </div>
  );
}
