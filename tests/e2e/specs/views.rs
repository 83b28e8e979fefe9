//! A screenshot of every view, in both themes, wide and narrow; none of them overflows.

use anyhow::ensure;
use serde_json::json;
use tidemark_tests::model_server::{ModelServer, Reply, Script};

use crate::app::App;

crate::specs![every_view_fits_wide_and_narrow_in_both_themes,];

const SIZES: [(&str, u32, u32); 2] = [("wide", 1280, 860), ("narrow", 480, 860)];

fn every_view_fits_wide_and_narrow_in_both_themes(app: &mut App) -> anyhow::Result<()> {
    let server = ModelServer::start(Script::always(Reply::answer("Hello")));
    app.open_ready()?;
    app.use_provider(&server.url())?;
    picture(app, "new-chat")
}

/// Leaves four pictures of what is shown.
fn picture(app: &mut App, view: &str) -> anyhow::Result<()> {
    for (size, width, height) in SIZES {
        app.resize(width, height)?;
        for theme in ["light", "dark"] {
            app.set("theme", json!(theme))?;
            let scheme = "return getComputedStyle(document.documentElement).colorScheme";
            app.until("the theme", || Ok(app.js(scheme)? == theme))?;
            app.screenshot(&format!("{view}-{theme}-{size}"))?;
            let overflow = "return document.documentElement.scrollWidth - innerWidth";
            let over = app.js(overflow)?.as_i64().unwrap_or(1);
            ensure!(over <= 0, "{view} is {over} px too wide in {width}");
        }
    }
    Ok(())
}
