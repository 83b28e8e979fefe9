/** The account: attaching one, how it stands, its devices, and the ways out. */
import { useState } from "react";
import type { AccountStatus } from "../../bridge";
import { Button, FailureState, Icon, Skeleton } from "../../components";
import { useAccount, useSyncStatus } from "../../store/queries";
import { show } from "../../store/view";
import { text } from "../../text";
import { day } from "../../text/views";
import { Group, Row } from "../settings/Row";
import { useSyncWords } from "../sync/useSyncWords";
import { iconOf, tone } from "../sync/words";
import { AttachForm } from "./AttachForm";
import { DeleteAccount } from "./DeleteAccount";
import { Devices } from "./Devices";
import { hostOf } from "./entry";
import { Sessions } from "./Sessions";
import { SignOut } from "./SignOut";
import { Standing } from "./Standing";
import "./account.css";

const words = text.account;

export function AccountPage() {
  const { data: account, error, refetch } = useAccount();
  if (account === undefined) return error === null ? <Skeleton lines={4} /> : <FailureState failure={error} onRetry={() => void refetch()} />;
  if (account.state === "local_only" || account.state === "unconfirmed") return <Local />;
  return <Attached account={account} />;
}

const Local = () => (
  <>
    <p className="account-intro">{words.intro}</p>
    <AttachForm />
  </>
);

function Attached({ account }: { account: AccountStatus }) {
  const [leaving, setLeaving] = useState(false);
  const status = useSyncStatus().data;
  const isIn = account.state === "signed_in";
  return (
    <>
      <Standing account={account} onSignOut={() => setLeaving(true)} state={status?.state} />
      <Group>
        <Row about={account.attached_at !== null && words.since(day(account.attached_at))} title={account.email ?? ""}>
          <Button onClick={() => setLeaving(true)}>{words.signOutDots}</Button>
        </Row>
        <Row about={<span className="account-url">{hostOf(account.url ?? "")}</span>} title={words.where} />
        {status && <SyncRow status={status} />}
      </Group>
      {isIn && <Devices />}
      {isIn && <Sessions />}
      {isIn && account.email !== null && <DeleteAccount email={account.email} />}
      {leaving && <SignOut canEverywhere={isIn} onClose={() => setLeaving(false)} pending={account.pending + (status?.counts.parked ?? 0)} />}
    </>
  );
}

function SyncRow({ status }: { status: NonNullable<ReturnType<typeof useSyncStatus>["data"]> }) {
  const said = useSyncWords(status);
  const about = (
    <span className="account-sync" data-tone={tone(status.state)}>
      <Icon name={iconOf(status.state)} size={14} />
      {said}
    </span>
  );
  return (
    <Row about={about} title={words.state}>
      <Button onClick={() => show.settings("sync", "health")}>{words.details}</Button>
    </Row>
  );
}
