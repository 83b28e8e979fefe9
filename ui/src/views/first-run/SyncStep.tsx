import { useState } from "react";
import { Button, Icon } from "../../components";
import { useAccount } from "../../store/queries";
import { text } from "../../text";
import { AttachForm } from "../account/AttachForm";
import { hostOf } from "../account/entry";
import { useKnownProject } from "../account/useKnownProject";

const words = text.account.firstRun;

/** An account, where one is wanted: the form opens when it is asked for, or where an organisation has named its project. */
export function SyncStep() {
  const account = useAccount().data;
  const { known } = useKnownProject();
  const [open, setOpen] = useState(false);
  const isIn = account?.state === "signed_in";
  const isOpen = !isIn && (open || known?.isOrganisations === true);
  return (
    <>
      <h1 className="first-run-title">{words.title}</h1>
      <p className="first-run-about">{words.about}</p>
      {isIn && (
        <p className="first-run-ready">
          <Icon name="cloudDone" />
          {words.signedIn(account.email ?? "")}
        </p>
      )}
      {isOpen && known?.isOrganisations && <p className="first-run-about">{words.found(hostOf(known.url))}</p>}
      {isOpen && <AttachForm />}
      {!isIn && !isOpen && (
        <section className="first-run-box first-run-chosen">
          <Icon name="cloud" size={20} />
          <div>
            <div className="first-run-name">{words.box}</div>
            <p className="setting-about">{words.boxAbout}</p>
          </div>
          <span className="first-run-check">
            <Button onClick={() => setOpen(true)} size="small">
              {words.button}
            </Button>
          </span>
        </section>
      )}
    </>
  );
}
