//! What a person does and sees in the window: everything is found by its role and its name.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::app::App;
use crate::driver::{Element, Refusal};

/// How long anything may take that no model is asked for. Generous, because machines are shared;
/// how fast the window really is is measured by `./dev bench`.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long an answer of the small local model may take.
pub(crate) const ANSWER: Duration = Duration::from_secs(120);

impl App {
    /// Runs a function body in the page.
    pub(crate) fn js(&self, script: &str) -> anyhow::Result<Value> {
        self.session()?.run(script, &[])
    }

    /// Calls one of the app's commands, to arrange what a spec is not about.
    pub(crate) fn invoke(&self, command: &str, arguments: Value) -> anyhow::Result<Value> {
        self.invoke_in_turn(&[(command, arguments)])
    }

    /// Calls commands with nothing between them, and gives what the last one answered.
    pub(crate) fn invoke_in_turn(&self, calls: &[(&str, Value)]) -> anyhow::Result<Value> {
        const CALL: &str = "const [calls, done] = arguments;
            const inTurn = async () => {
                let ok = null;
                for (const [command, values] of calls) {
                    ok = await window.__TAURI_INTERNALS__.invoke(command, values);
                }
                return ok ?? null;
            };
            inTurn().then((ok) => done({ ok }), (failure) => done({ failure }));";
        let answer = self.session()?.run_async(CALL, &[json!(calls)])?;
        match answer.get("failure") {
            Some(failure) => {
                let names: Vec<_> = calls.iter().map(|(name, _)| *name).collect();
                bail!("{}: {failure}", names.join(", "))
            }
            None => Ok(answer["ok"].clone()),
        }
    }

    /// All that have this role and exactly this name.
    pub(crate) fn all(&self, role: &str, name: &str) -> anyhow::Result<Vec<Element>> {
        self.find(role, json!(name), "is")
    }

    /// All that have this role and a name with this part in it.
    pub(crate) fn all_with(&self, role: &str, part: &str) -> anyhow::Result<Vec<Element>> {
        self.find(role, json!(part), "has")
    }

    fn find(&self, role: &str, name: Value, how: &str) -> anyhow::Result<Vec<Element>> {
        self.session()?.elements(include_str!("roles.js"), &[json!(role), name, json!(how)])
    }

    /// Waits for the first with this role and name.
    pub(crate) fn by_role(&self, role: &str, name: &str) -> anyhow::Result<Element> {
        let what = format!("a {role} named {name:?}");
        self.until_some(&what, PATIENCE, || Ok(self.all(role, name)?.into_iter().next()))
    }

    /// Clicks the one with this role and name, as soon as it is there and nothing covers it.
    pub(crate) fn click(&self, role: &str, name: &str) -> anyhow::Result<()> {
        self.click_one(&format!("{role} {name:?}"), || self.all(role, name))
    }

    /// Clicks the first with this role and a name with this part in it.
    pub(crate) fn click_with(&self, role: &str, part: &str) -> anyhow::Result<()> {
        self.click_one(&format!("{role} with {part:?}"), || self.all_with(role, part))
    }

    fn click_one(
        &self,
        what: &str,
        find: impl Fn() -> anyhow::Result<Vec<Element>>,
    ) -> anyhow::Result<()> {
        self.until(&format!("{what} to be clicked"), || match find()?.first() {
            Some(element) => not_yet(self.session()?.click(element)),
            None => Ok(false),
        })
    }

    /// Types into the one with this role and name.
    pub(crate) fn type_into(&self, role: &str, name: &str, text: &str) -> anyhow::Result<()> {
        self.until(&format!("{role} {name:?} to be typed into"), || {
            match self.all(role, name)?.first() {
                Some(element) => not_yet(self.session()?.type_into(element, text)),
                None => Ok(false),
            }
        })
    }

    /// Presses keys, such as `Control+k`, wherever the focus is.
    pub(crate) fn press(&self, chord: &str) -> anyhow::Result<()> {
        let keys: Option<Vec<char>> = chord.split('+').map(key).collect();
        self.session()?.chord(&keys.with_context(|| format!("no such key: {chord}"))?)
    }

    /// Types with the keyboard, wherever the focus is.
    pub(crate) fn type_keys(&self, text: &str) -> anyhow::Result<()> {
        text.chars().try_for_each(|key| self.session()?.chord(&[key]))
    }

    /// Waits until a dialog is open: it has the focus, and so the keys.
    pub(crate) fn dialog_opens(&self) -> anyhow::Result<()> {
        let focused = "return document.activeElement?.closest('[role=dialog]') != null";
        self.until("a dialog to open", || Ok(self.js(focused)? == true))
    }

    /// Waits until no dialog is there any more.
    pub(crate) fn dialog_closes(&self) -> anyhow::Result<()> {
        self.until("the dialog to close", || Ok(self.all_with("dialog", "")?.is_empty()))
    }

    /// What the first with this role and name says.
    pub(crate) fn text_of(&self, role: &str, name: &str) -> anyhow::Result<String> {
        let element = self.by_role(role, name)?;
        let text =
            self.session()?.run("return arguments[0].innerText", &[Value::from(&element)])?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// What is typed in a textbox.
    pub(crate) fn value_of(&self, role: &str, name: &str) -> anyhow::Result<String> {
        let element = self.by_role(role, name)?;
        let text = self.session()?.run("return arguments[0].value", &[Value::from(&element)])?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// All that the window shows, as text.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        Ok(self.js("return document.body.innerText")?.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the window shows this text somewhere.
    pub(crate) fn shows(&self, text: &str) -> anyhow::Result<()> {
        self.until(&format!("the window to show {text:?}"), || Ok(self.text()?.contains(text)))
    }

    /// Waits until the window shows this text nowhere.
    pub(crate) fn hides(&self, text: &str) -> anyhow::Result<()> {
        self.until(&format!("the window to hide {text:?}"), || Ok(!self.text()?.contains(text)))
    }

    /// Waits until it is so.
    pub(crate) fn until(
        &self,
        what: &str,
        so: impl FnMut() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        self.until_within(PATIENCE, what, so)
    }

    /// Waits so long until it is so.
    pub(crate) fn until_within(
        &self,
        patience: Duration,
        what: &str,
        mut so: impl FnMut() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        self.until_some(what, patience, || Ok(so()?.then_some(())))
    }

    /// Waits until there is one. A page that is just being replaced counts as "not yet".
    fn until_some<T>(
        &self,
        what: &str,
        patience: Duration,
        mut look: impl FnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let until = Instant::now() + patience;
        loop {
            if let Some(found) = look()? {
                return Ok(found);
            }
            if Instant::now() > until {
                bail!("waited {} s in vain for {what}", patience.as_secs());
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Collects from now on what the page complains of.
    pub(crate) fn watch_console(&self) -> anyhow::Result<()> {
        self.js(include_str!("console.js")).map(drop)
    }

    /// What the page complained of since it was opened.
    pub(crate) fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let all = self.js("return window.__complaints ?? []")?;
        Ok(serde_json::from_value(all)?)
    }
}

/// Whether it was done; an element that moved away, or is covered for the moment, says "not yet".
fn not_yet(done: anyhow::Result<()>) -> anyhow::Result<bool> {
    const PASSING: [&str; 4] = [
        "stale element reference",
        "element not interactable",
        "element click intercepted",
        "no such element",
    ];
    match done {
        Ok(()) => Ok(true),
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) if PASSING.contains(&refusal.error.as_str()) => Ok(false),
            _ => Err(error),
        },
    }
}

/// A key's code point (W3C WebDriver, 17.4.2).
fn key(name: &str) -> Option<char> {
    Some(match name {
        "Backspace" => '\u{e003}',
        "Tab" => '\u{e004}',
        "Enter" => '\u{e007}',
        "Shift" => '\u{e008}',
        "Control" => '\u{e009}',
        "Alt" => '\u{e00a}',
        "Escape" => '\u{e00c}',
        "Space" => ' ',
        "PageUp" => '\u{e00e}',
        "PageDown" => '\u{e00f}',
        "End" => '\u{e010}',
        "Home" => '\u{e011}',
        "ArrowLeft" => '\u{e012}',
        "ArrowUp" => '\u{e013}',
        "ArrowRight" => '\u{e014}',
        "ArrowDown" => '\u{e015}',
        "Delete" => '\u{e017}',
        "F6" => '\u{e036}',
        one => {
            let mut characters = one.chars();
            characters.next().filter(|_| characters.next().is_none())?
        }
    })
}
