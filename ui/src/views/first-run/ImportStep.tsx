import { useImportState } from "../../store/queries";
import { text } from "../../text";
import { Import } from "../import/Import";
import { useDropped } from "../import/useDropped";

const words = text.imports.firstRun;
const always = () => true;

/** What other programs left on this computer. A person can go on at any time: an import goes on in the background. */
export function ImportStep() {
  const at = useImportState().data?.at;
  useDropped(always);
  return (
    <div className="first-run-import">
      <h1 className="first-run-title">{words.title}</h1>
      <p className="first-run-about">
        {text.imports.intro} {at === "running" || at === "pausing" ? words.running : words.about}
      </p>
      <Import />
    </div>
  );
}
