/** Bringing over what older programs left: the page of the settings. */
import { text } from "../../text";
import { Import } from "./Import";
import { News } from "./News";
import { Past } from "./Past";
import "../account/account.css";

export function ImportPage() {
  return (
    <div className="import-page">
      <p className="account-intro import-intro">{text.imports.intro}</p>
      <News />
      <Import />
      <Past />
    </div>
  );
}
