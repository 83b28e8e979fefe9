/** Which of the people of an old program one is: several, where one had several names; or everybody. */
import { type FormEvent, useState } from "react";
import type { FoundSource, Plan, Share } from "../../bridge";
import { Button } from "../../components";
import { text } from "../../text";
import { choose, restart } from "./flow";
import { inOrder, isNobody, needsKey } from "./people";
import { Person } from "./Person";
import { Stage } from "./Stage";

const words = text.imports.who;

type Props = { source: FoundSource; everyone: Plan; users: string[] };

export function Who({ source, everyone, users }: Props) {
  const [ticked, setTicked] = useState(new Set(users));
  const [all, setAll] = useState(false);
  const [asked, setAsked] = useState(false);
  const people = inOrder(everyone.people);
  const isNone = !all && ticked.size === 0;
  const tick = (key: string, on: boolean) => setTicked((before) => new Set(on ? [...before, key] : [...before].filter((one) => one !== key)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!isNone) choose(source, everyone, all ? [] : [...ticked]);
  };
  return (
    <Stage about={words.about(everyone.name)} title={words.title}>
      <form className="import-form" onSubmit={submit}>
        <fieldset className="import-people">
          <legend className="visually-hidden">{words.title}</legend>
          {people.map((share) => (
            <Person
              checked={all || ticked.has(share.key)}
              disabled={all}
              facts={factsOf(share)}
              key={share.key}
              label={isNobody(share) ? words.nobody : (share.name ?? share.key)}
              onChange={(on) => tick(share.key, on)}
            />
          ))}
        </fieldset>
        <Person checked={all} facts={[words.everybodyAbout]} label={words.everybody} onChange={setAll} />
        {asked && isNone && (
          <p className="field-hint field-error" role="alert">
            {words.none}
          </p>
        )}
        <div className="import-actions">
          <Button tone="primary" type="submit">
            {words.go}
          </Button>
          <Button onClick={restart} tone="quiet">
            {text.imports.plan.other}
          </Button>
        </div>
      </form>
    </Stage>
  );
}

/** What tells one from the others, and what they have. */
function factsOf(share: Share): string[] {
  return [
    words.counts(share),
    ...(share.email === null ? [] : [share.email]),
    ...(share.other_names.length === 0 ? [] : [words.also(share.other_names)]),
    ...(needsKey(share) ? [words.key(share.key)] : []),
    ...(isNobody(share) ? [words.nobodyAbout] : []),
    ...(share.twins.length > 0 ? [words.twin] : []),
  ];
}
