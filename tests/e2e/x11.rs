//! Closing a window the way a window manager does, where there is none.

use anyhow::{Context, bail};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, MapState, Window,
};
use x11rb::rust_connection::RustConnection;

/// Asks the window of this process to close (`WM_DELETE_WINDOW`, ICCCM 4.2.8.1).
pub(crate) fn close_window(display: &str, pid: u32) -> anyhow::Result<()> {
    let (x, screen) = x11rb::connect(Some(display)).context("the display does not answer")?;
    let root = x.setup().roots[screen].root;
    let window = window_of(&x, root, pid)?;
    let protocols = atom(&x, "WM_PROTOCOLS")?;
    let delete = atom(&x, "WM_DELETE_WINDOW")?;
    let message = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
    x.send_event(false, window, EventMask::NO_EVENT, message)?.check()?;
    x.flush()?;
    Ok(())
}

/// The window that is shown and says that it belongs to this process.
fn window_of(x: &RustConnection, root: Window, pid: u32) -> anyhow::Result<Window> {
    let property = atom(x, "_NET_WM_PID")?;
    for window in x.query_tree(root)?.reply()?.children {
        let owner = x.get_property(false, window, property, AtomEnum::CARDINAL, 0, 1)?.reply()?;
        let is_its = owner.value32().and_then(|mut values| values.next()) == Some(pid);
        let shown = x.get_window_attributes(window)?.reply()?.map_state == MapState::VIEWABLE;
        if is_its && shown {
            return Ok(window);
        }
    }
    bail!("process {pid} shows no window")
}

fn atom(x: &RustConnection, name: &str) -> anyhow::Result<u32> {
    Ok(x.intern_atom(false, name.as_bytes())?.reply()?.atom)
}
