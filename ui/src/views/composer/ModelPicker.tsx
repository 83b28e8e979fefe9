/** Which model answers next. One that cannot work now is dimmed and says why. */
import * as bridge from "../../bridge";
import { Icon, Menu, MenuHeading, MenuItem, MenuLine } from "../../components";
import { act } from "../../store/act";
import { useModels } from "../../store/queries";
import { show, useView } from "../../store/view";
import { text } from "../../text";

type Props = { conversation: bridge.Conversation | null; model: bridge.ModelRef | null; onChoose: (model: bridge.ModelRef) => void };

export function ModelPicker({ conversation, model, onChoose }: Props) {
  const models = useModels().data ?? [];
  const open = useView((state) => state.modelPickerOpen);
  const ref = conversation === null ? model : conversation.model;
  const chosen = models.find((one) => one.model === ref) ?? (ref === null ? models.find((one) => one.is_default) : undefined);
  const label = chosen ? `${chosen.name} · ${chosen.provider_name}` : (ref ?? text.composer.noModel);
  const choose = (one: bridge.ModelRef) => {
    if (conversation === null) onChoose(one);
    else act(() => bridge.setModel(conversation.id, one));
  };
  const providers = [...new Set(models.map((one) => one.provider_name))];
  return (
    <Menu
      align="start"
      label={text.composer.model}
      onOpenChange={show.modelPicker}
      open={open}
      side="top"
      trigger={
        <button aria-label={`${text.composer.model}: ${label}`} className="model-picker" type="button">
          <span>{label}</span>
          <Icon name="chevronDown" size={14} />
        </button>
      }
    >
      {providers.map((provider) => (
        <div key={provider} role="group">
          <MenuHeading>{provider}</MenuHeading>
          {models
            .filter((one) => one.provider_name === provider)
            .map((one) => (
              <MenuItem disabled={!one.available} key={one.model} note={one.reason} onSelect={() => choose(one.model)} {...(one.model === chosen?.model && { icon: "check" as const })}>
                {one.name}
              </MenuItem>
            ))}
        </div>
      ))}
      {models.length > 0 && <MenuLine />}
      <MenuItem icon="settings" onSelect={() => show.settings("models")}>
        {models.length === 0 ? text.composer.getModel : text.composer.manageModels}
      </MenuItem>
    </Menu>
  );
}
