import type { KeyStore } from "../../bridge";
import { text } from "../../text";
import { RecoveryKey } from "../settings/RecoveryKey";

const words = text.firstRun.recovery;

export function RecoveryStep({ kept }: { kept: KeyStore }) {
  return (
    <>
      <h1 className="first-run-title">{words.title}</h1>
      <p className="first-run-about">{words.why[kept]}</p>
      <section className="first-run-box">
        <RecoveryKey />
        <p className="setting-about">{text.settings.recovery.about}</p>
      </section>
      <p className="setting-about">{words.anytime}</p>
    </>
  );
}
