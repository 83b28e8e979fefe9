//! `./dev run --virtual`: the app where nobody sees it, with a keyring as on a desktop.
//!
//! The home is kept under `target/virtual-home`, so that a second run finds the first one's chat.

use std::sync::Arc;

use crate::app::{App, Key};
use crate::stage::Stage;

const QUESTION: &str = "What is the tide? Answer in one sentence.";

/// Asks through the window, waits for the answer, and names the screenshot in its last line.
pub(crate) fn ask_one_question(stage: &Arc<Stage>) -> anyhow::Result<()> {
    let home = stage.target.join("virtual-home");
    let mut app = App::at_home(stage, &home, Key::Keyring)?;
    let asked = ask(&mut app);
    if asked.is_err() {
        let evidence = stage.target.join("e2e/run-virtual");
        app.leave_evidence(&evidence);
        println!("see {}", evidence.display());
    }
    let answer = asked?;
    println!("asked:    {QUESTION}\nanswered: {answer}");
    let path = app.screenshot("run-virtual")?;
    app.close()?;
    println!("{}", path.display());
    Ok(())
}

fn ask(app: &mut App) -> anyhow::Result<String> {
    app.open()?;
    app.past_first_run()?;
    app.click("button", "New chat")?;
    app.ask(QUESTION)?;
    let answer = app.answered()?;
    Ok(answer["content"].as_str().unwrap_or_default().to_owned())
}
