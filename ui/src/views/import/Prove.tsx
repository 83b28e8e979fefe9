/** The old passwords of those who one is, or a word that one goes on without. */
import { type FormEvent, useState } from "react";
import * as bridge from "../../bridge";
import { Banner, Button, Choice } from "../../components";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { SecretField } from "../locked/SecretField";
import { useDoing } from "../settings/useDoing";
import { backToPeople, planFor } from "./flow";
import { Stage } from "./Stage";
import "../locked/locked.css";

const words = text.imports.prove;

type Props = { source: bridge.FoundSource; everyone: bridge.Plan; users: string[]; left: bridge.Share[] };
type Answer = { password: string; forgot: boolean; error: string | null };
const EMPTY: Answer = { password: "", forgot: false, error: null };

export function Prove({ source, everyone, users, left }: Props) {
  const [answers, setAnswers] = useState<Record<string, Answer>>({});
  const { busy, failure, run } = useDoing();
  const of = (key: string) => answers[key] ?? EMPTY;
  const change = (key: string, to: Partial<Answer>) => setAnswers((before) => ({ ...before, [key]: { ...(before[key] ?? EMPTY), ...to } }));
  const check = async () => {
    let isFine = true;
    for (const { key } of left) {
      const { password, forgot } = of(key);
      if (forgot) continue;
      const proven = password === "" ? null : await bridge.importProve(source.path, key, password);
      const error = proven === null ? words.missing : proven === "differs" ? words.wrong : null;
      change(key, { error });
      isFine &&= error === null;
    }
    if (isFine) void planFor(source, everyone, users);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(check);
  };
  return (
    <Stage about={words.about} title={words.title}>
      <form className="import-form" noValidate onSubmit={submit}>
        {left.map((share) => {
          const name = share.name ?? share.key;
          const { password, forgot, error } = of(share.key);
          return (
            <div className="import-proof" key={share.key}>
              {!forgot && <SecretField error={error} label={words.of(name)} onChange={(typed) => change(share.key, { password: typed, error: null })} value={password} />}
              {forgot && <p className="setting-title">{words.of(name)}</p>}
              <Choice about={words.forgotAbout(name)} checked={forgot} label={words.forgot} onChange={(on) => change(share.key, { forgot: on, error: null })} />
            </div>
          );
        })}
        {failure !== null && <Banner tone="failure">{inWords(failure)}</Banner>}
        <div className="import-actions">
          <Button disabled={busy} tone="primary" type="submit">
            {busy ? words.checking : words.check}
          </Button>
          <Button onClick={() => backToPeople(source, everyone, users)} tone="quiet">
            {text.imports.plan.people}
          </Button>
        </div>
      </form>
    </Stage>
  );
}
