/** Why sync stands still, and what a person does about it, on the account page. */
import { type ReactNode, useState } from "react";
import * as bridge from "../../bridge";
import { Button, Confirm, Icon } from "../../components";
import { act } from "../../store/act";
import { text } from "../../text";
import { useCopying } from "../settings/useCopying";
import { SignInAgain } from "./SignInAgain";

const words = text.sync;

type Props = { account: bridge.AccountStatus; state: bridge.SyncState | undefined; onSignOut: () => void };

export function Standing({ account, state, onSignOut }: Props) {
  const email = account.email ?? "";
  if (account.state === "signed_out" || (state?.at === "paused" && state.why === "sign_in")) {
    return (
      <Notice about={text.account.sessionOverAbout(email)} title={text.account.sessionOver}>
        <SignInAgain email={email} url={account.url ?? ""} />
      </Notice>
    );
  }
  if (state?.at === "disk_full") {
    return (
      <Notice about={words.about.disk_full ?? ""} title={words.state(state, NONE, "")}>
        <Retry />
      </Notice>
    );
  }
  if (state?.at !== "paused") return null;
  const { words: title, about } = words.pauses[state.why];
  return (
    <Notice about={about} title={words.pausedTitle(title)}>
      <Remedy account={account} onSignOut={onSignOut} why={state.why} />
    </Notice>
  );
}

const NONE: bridge.Counts = { waiting: 0, parked: 0, conflicts: 0, oldest_at: null };

function Notice({ title, about, children }: { title: string; about: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="standing">
      <Icon name="cloudStuck" size={18} />
      <div className="standing-body">
        <h3 className="standing-title">{title}</h3>
        <p className="standing-about">{about}</p>
        {children}
      </div>
    </section>
  );
}

type RemedyProps = { why: bridge.Pause; account: bridge.AccountStatus; onSignOut: () => void };

function Remedy({ why, account, onSignOut }: RemedyProps) {
  switch (why) {
    case "device_revoked":
    case "user_disabled":
    case "device_unknown":
    case "wrong_project":
      return (
        <div className="account-actions">
          <Button onClick={onSignOut}>{words.signOut}</Button>
          <Retry quiet />
        </div>
      );
    case "wrong_key":
      return <SignInAgain asksKey email={account.email ?? ""} url={account.url ?? ""} />;
    case "no_schema":
    case "server_too_old":
      return <Install url={account.url} />;
    case "removal":
      return <Removal />;
    case "sign_in":
    case "forbidden":
    case "app_too_old":
    case "project_paused":
    case "server_full":
      return <Retry />;
  }
}

const Retry = ({ quiet = false }: { quiet?: boolean }) => (
  <Button onClick={() => act(bridge.syncNow)} tone={quiet ? "quiet" : "plain"}>
    {words.tryAgain}
  </Button>
);

/** The command that prepares the project's database. */
function Install({ url }: { url: string | null }) {
  const command = words.install(url);
  const copying = useCopying(words.commandCopied, words.diagnosticsFailed);
  return (
    <>
      <code className="data-path standing-command">{command}</code>
      <div className="account-actions">
        <Button icon="copy" onClick={() => copying.copy(command)}>
          {words.copyCommand}
        </Button>
        <Retry quiet />
        <span className="setting-about" role="status">
          {copying.said}
        </span>
      </div>
    </>
  );
}

function Removal() {
  const [asking, setAsking] = useState(false);
  return (
    <div className="account-actions">
      <Button onClick={() => act(() => bridge.answerRemoval("keep"))} tone="primary">
        {words.keepHere}
      </Button>
      <Button onClick={() => setAsking(true)} tone="danger">
        {words.removeHere}
      </Button>
      {asking && (
        <Confirm action={words.removeHere} onClose={() => setAsking(false)} onConfirm={() => bridge.answerRemoval("remove")} title={words.removeTitle}>
          {words.removeText}
        </Confirm>
      )}
    </div>
  );
}
