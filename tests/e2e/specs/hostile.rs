//! What a hostile answer, a hostile page and a hostile caller must not achieve (TRUST.md, H1–H5).

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use tidemark_tests::model_server::{ModelServer, Reply, Script};

use crate::app::App;
use crate::canary::{BARE, Canary};

crate::specs![
    hostile_markdown_runs_nothing_and_asks_no_server,
    the_window_goes_nowhere_else,
    commands_refuse_what_they_cannot_use,
];

/// Everything that has ever made a renderer run a script or load something.
const HOSTILE: &str = r#"The end is near.

<img src="CANARY/img" onerror="window.__ran = 'onerror'"><script>window.__ran = 'script'</script>
<svg onload="window.__ran = 'svg'"><image href="CANARY/svg"/></svg>
<iframe srcdoc="<script>parent.__ran = 'srcdoc'</script>" src="CANARY/frame"></iframe>
<link rel="stylesheet" href="CANARY/css"><link rel="preconnect" href="CANARY/"><base href="CANARY/">
<meta http-equiv="refresh" content="0;url=CANARY/refresh">
<style>@import url(CANARY/import); body { background: url(CANARY/background) }</style>
<video poster="CANARY/poster" autoplay src="CANARY/video"></video><object data="CANARY/object"></object>
<form action="CANARY/form"><button autofocus onfocus="window.__ran = 'focus'">x</button></form>
<details open ontoggle="window.__ran = 'toggle'">x</details>
<math><mtext><table><mglyph><style><img src=x onerror="window.__ran = 'mxss'"></style></mglyph></table></mtext></math>

![picture](CANARY/markdown) ![reference][one] [![linked](CANARY/linked)](CANARY/target)

[one]: CANARY/reference
[script](javascript:window.__ran='link') [data](data:text/html,<script>1</script>) [file](file:///etc/passwd)
[blank](java	script:window.__ran='tab') <javascript:window.__ran='auto'> [ms](ms-msdt:/id) [smb](smb://127.0.0.1/x)

$\href{javascript:window.__ran='katex'}{x}$ $\includegraphics{CANARY/katex}$ $\htmlData{a=b}{x}$ $\url{CANARY/url}$

$$\def\a{\a\a}\a$$

```html
<img src="CANARY/code" onerror="window.__ran = 'code'">
```

| a | b |
|---|---|
| <img src=x onerror="window.__ran='cell'"> | ![cell](CANARY/cell) |

The end is here."#;

fn hostile_markdown_runs_nothing_and_asks_no_server(app: &mut App) -> anyhow::Result<()> {
    let canary = Canary::start()?;
    let text = HOSTILE.replace("CANARY", canary.url("").trim_end_matches('/'));
    let server = ModelServer::start(Script::always(Reply::answer(&text)));
    app.open_ready()?;
    app.use_provider(&server.url())?;
    app.say(None, &text)?;
    app.ask("Be hostile")?;
    app.thread_shows("The end is here.")?;
    app.answered()?;
    // What was scheduled gets the time to happen.
    std::thread::sleep(Duration::from_secs(1));

    let ran = app.js("return window.__ran ?? null")?;
    ensure!(ran == Value::Null, "a script ran: {ran}");
    ensure!(canary.asked().is_empty(), "the canary was asked: {:?}", canary.asked());
    let elements = "return [...document.querySelectorAll('[role=log] :is(script, iframe, object, embed, \
        link, meta, base, form, video, audio, style, img, image)')].map((e) => e.outerHTML)";
    ensure!(app.js(elements)? == json!([]), "an element that loads or runs: {}", app.js(elements)?);
    let links = "return [...document.querySelectorAll('[role=log] a[href]')].map((a) => a.href)\
        .filter((href) => !/^(https?|mailto):/.test(href))";
    ensure!(app.js(links)? == json!([]), "a link with another scheme: {}", app.js(links)?);
    let handlers = "return [...document.querySelectorAll('[role=log] *')].filter((e) => \
        e.getAttributeNames().some((name) => name.startsWith('on'))).map((e) => e.outerHTML)";
    ensure!(app.js(handlers)? == json!([]), "a handler in the page: {}", app.js(handlers)?);
    app.screenshot("hostile-answer").map(drop)
}

fn the_window_goes_nowhere_else(app: &mut App) -> anyhow::Result<()> {
    let canary = Canary::start()?;
    app.open_ready()?;
    let home = app.js("return location.href")?;
    for leave in [
        "location.href = arguments[0]",
        "window.open(arguments[0])",
        "const a = document.createElement('a'); a.href = arguments[0]; a.target = '_blank'; document.body.append(a); a.click(); a.remove()",
        "const f = document.createElement('iframe'); f.src = arguments[0]; document.body.append(f)",
        "fetch(arguments[0], { mode: 'no-cors' }).catch(() => {})",
        "new Image().src = arguments[0]",
        "navigator.sendBeacon(arguments[0])",
    ] {
        app.session()?.run(leave, &[json!(canary.url("left"))])?;
        std::thread::sleep(Duration::from_millis(200));
        ensure!(app.js("return location.href")? == home, "left through: {leave}");
    }
    let tauri_of_frame = "const f = document.createElement('iframe'); f.srcdoc = '<p>x'; document.body.append(f); \
        return typeof f.contentWindow?.__TAURI_INTERNALS__?.invoke";
    ensure!(app.js(tauri_of_frame)? == "undefined", "a frame can call the app");
    // WebKit connects before it asks whether it may go there; nothing must be asked.
    let asked: Vec<String> = canary.asked().into_iter().filter(|line| line != BARE).collect();
    ensure!(asked.is_empty(), "the canary was asked: {asked:?}");
    // The content security policy said no to each of these, as it should.
    app.js("window.__complaints.length = 0").map(drop)
}

fn commands_refuse_what_they_cannot_use(app: &mut App) -> anyhow::Result<()> {
    app.open_ready()?;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (command, arguments) in [
        ("rename", json!({ "id": "../../etc/passwd", "title": "x" })),
        ("rename", json!({ "id": null, "title": "\u{0}" })),
        ("thread", json!({ "conversation_id": "x", "limit": -1, "before": null, "around": null })),
        ("set_setting", json!({ "key": "../theme", "value": deep })),
        (
            "send",
            json!({ "request": { "conversation_id": null, "content": "x".repeat(5_000_000), "model": null } }),
        ),
        ("send", json!({ "request": { "conversation_id": null, "content": "", "model": null } })),
        ("undo", json!({ "id": 1e300 })),
        ("open_link", json!({ "url": "file:///etc/passwd" })),
        ("open_link", json!({ "url": " javascript:alert(1)" })),
        ("open_link", json!({ "url": "ms-msdt:/id" })),
    ] {
        let refused = match app.invoke(command, arguments) {
            Err(error) => error.to_string(),
            Ok(answer) => anyhow::bail!("{command} took it: {answer}"),
        };
        ensure!(
            refused.contains("\"code\"") && refused.contains("\"message\""),
            "no failure: {refused}"
        );
    }
    for unknown in
        ["plugin:fs|read_text_file", "plugin:shell|open", "plugin:opener|open_path", "nothing"]
    {
        ensure!(
            app.invoke(unknown, json!({ "path": "/etc/passwd" })).is_err(),
            "{unknown} is allowed"
        );
    }
    ensure!(app.conversations("active")?.is_empty(), "nothing was written");
    app.by_role("textbox", "Message").map(drop)
}
