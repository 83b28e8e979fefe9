//! The roles and names that the app promises to screen readers, and to these specs.

use crate::app::App;

crate::specs![the_window_has_the_roles_and_names_that_it_promises];

fn the_window_has_the_roles_and_names_that_it_promises(app: &mut App) -> anyhow::Result<()> {
    app.open_ready()?;
    app.say(None, "Something to be shown")?;
    app.reload()?;
    app.click_with("link", "Something to be shown")?;
    let promised = [
        ("textbox", "Message"),
        ("button", "Send"),
        ("log", "Conversation"),
        ("navigation", "Conversations"),
        ("button", "New chat"),
        ("searchbox", "Search"),
        ("button", "Sync: Local only"),
    ];
    for (role, name) in promised {
        let element = app.by_role(role, name)?;
        let session = app.session()?;
        // What the web view tells a screen reader, which is not what our own finder believes.
        let told = (session.computed_role(&element)?, session.computed_label(&element)?);
        anyhow::ensure!(told == (role.into(), name.into()), "{role} {name:?} is told as {told:?}");
    }
    Ok(())
}
