// Remembers what the page complains of: errors, promises that nobody caught, refusals of the
// content security policy. A spec that leaves one behind fails.
if (!window.__complaints) {
  const all = (window.__complaints = []);
  const error = console.error.bind(console);
  console.error = (...values) => {
    all.push(values.map((value) => value?.stack ?? String(value)).join(" "));
    error(...values);
  };
  addEventListener("error", (event) => {
    // Says only that a size that was seen changed again: what is left is told in the next frame.
    if (event.message.startsWith("ResizeObserver loop")) return;
    all.push(`${event.message} (${event.filename})`);
  });
  addEventListener("unhandledrejection", (event) => {
    const reason = event.reason;
    all.push(`unhandled: ${reason?.stack ?? JSON.stringify(reason)}`);
  });
  addEventListener("securitypolicyviolation", (event) => {
    all.push(`refused by ${event.violatedDirective}: ${event.blockedURI}`);
  });
}
