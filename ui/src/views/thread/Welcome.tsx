/** A chat without messages: says who will answer, and where. */
import { Button, Mark } from "../../components";
import { useModels } from "../../store/queries";
import { show } from "../../store/view";
import { text } from "../../text";

export function Welcome() {
  const models = useModels().data;
  const chosen = models?.find((one) => one.is_default);
  return (
    <div className="welcome">
      <Mark size={40} />
      <h2 className="welcome-title">{text.welcome.title}</h2>
      {chosen && (
        <p className="welcome-text">
          {chosen.provider_kind === "local" ? text.welcome.local(chosen.name) : text.welcome.remote(chosen.name, chosen.provider_name)}
        </p>
      )}
      {models !== undefined && !chosen && (
        <>
          <p className="welcome-text">{text.welcome.none}</p>
          <Button icon="download" onClick={() => show.settings("models")} tone="primary">
            {text.welcome.getModel}
          </Button>
        </>
      )}
    </div>
  );
}
