// Clicks on a conversation and waits for the frame in which its last message is in view. A message
// that is posted while a frame is prepared arrives after that frame was painted.
const [conversation, last, done] = arguments;
const inView = () => {
  const row = document.querySelector(`[data-message="${last}"]`)?.getBoundingClientRect();
  const log = document.querySelector("[role=log]")?.getBoundingClientRect();
  return row && log && row.height > 0 && row.bottom > log.top && row.top < log.bottom;
};
const link = document.querySelector(`a[href="#${conversation}"]`);
const begun = performance.now();
link.click();
const look = () => {
  if (performance.now() - begun > 20_000) return done("waited 20 s in vain");
  if (!inView()) return requestAnimationFrame(look);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => done(performance.now() - begun);
  port2.postMessage(null);
};
requestAnimationFrame(look);
