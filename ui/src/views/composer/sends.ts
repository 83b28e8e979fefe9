type Press = { key: string; shiftKey: boolean; altKey: boolean; ctrlKey: boolean; metaKey: boolean; keyCode: number; nativeEvent: { isComposing: boolean } };

/** Whether a key press sends, as the setting `send_with` says. Shift and Enter is always a new line. */
export function sends(event: Press, sendWith: string): boolean {
  // While letters are being composed, Enter chooses one and does not send.
  if (event.key !== "Enter" || event.nativeEvent.isComposing || event.keyCode === 229) return false;
  if (event.shiftKey || event.altKey) return false;
  return sendWith !== "mod_enter" || event.ctrlKey || event.metaKey;
}
