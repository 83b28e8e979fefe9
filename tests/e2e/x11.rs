//! The window as the X server has it: shown, focused, pictured, asked to close.
//!
//! There is no window manager on our display, so this does a manager's part.

use anyhow::{Context, bail};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, ImageFormat, InputFocus, MapState,
    Window,
};
use x11rb::rust_connection::RustConnection;

/// One process's window.
pub(crate) struct XWindow {
    x: RustConnection,
    id: Window,
}

/// What it shows: `width` × `height` pixels, four bytes each as the display has them: blue, green,
/// red, and one that is unused.
#[derive(PartialEq, Eq)]
pub(crate) struct Pixels {
    width: u32,
    height: u32,
    bgrx: Vec<u8>,
}

impl XWindow {
    /// The window of a process that is shown now.
    pub(crate) fn of(display: &str, pid: u32) -> anyhow::Result<Self> {
        let (x, screen) = x11rb::connect(Some(display)).context("the display does not answer")?;
        let root = x.setup().roots[screen].root;
        let id = shown(&x, root, pid)?;
        Ok(Self { x, id })
    }

    /// Gives it the keyboard, so that its page is active as one that a person looks at.
    pub(crate) fn focus(&self) -> anyhow::Result<()> {
        self.x.set_input_focus(InputFocus::PARENT, self.id, x11rb::CURRENT_TIME)?.check()?;
        Ok(())
    }

    /// Asks it to close (`WM_DELETE_WINDOW`, ICCCM 4.2.8.1).
    pub(crate) fn close(&self) -> anyhow::Result<()> {
        let protocols = atom(&self.x, "WM_PROTOCOLS")?;
        let delete = atom(&self.x, "WM_DELETE_WINDOW")?;
        let message = ClientMessageEvent::new(32, self.id, protocols, [delete, 0, 0, 0, 0]);
        self.x.send_event(false, self.id, EventMask::NO_EVENT, message)?.check()?;
        Ok(())
    }

    /// What it shows. (The driver cannot tell: it hangs where the processor does the painting.)
    pub(crate) fn pixels(&self) -> anyhow::Result<Pixels> {
        let size = self.x.get_geometry(self.id)?.reply()?;
        let (width, height) = (size.width, size.height);
        let format = ImageFormat::Z_PIXMAP;
        let image = self.x.get_image(format, self.id, 0, 0, width, height, u32::MAX)?.reply()?;
        // Four bytes a pixel at the depths of 24 and 32.
        if image.data.len() != 4 * usize::from(width) * usize::from(height) {
            bail!("the display's pixels have another form: depth {}", image.depth);
        }
        Ok(Pixels { width: width.into(), height: height.into(), bgrx: image.data })
    }
}

impl Pixels {
    /// As a PNG.
    pub(crate) fn png(&self) -> anyhow::Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        // This is a debug build: small files are not worth seconds.
        encoder.set_compression(png::Compression::Fast);
        let rgb: Vec<u8> =
            self.bgrx.as_chunks::<4>().0.iter().flat_map(|[b, g, r, _]| [*r, *g, *b]).collect();
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&rgb)?;
        writer.finish()?;
        Ok(out)
    }
}

/// The window that is shown and says that it belongs to this process.
fn shown(x: &RustConnection, root: Window, pid: u32) -> anyhow::Result<Window> {
    let property = atom(x, "_NET_WM_PID")?;
    for window in x.query_tree(root)?.reply()?.children {
        let owner = x.get_property(false, window, property, AtomEnum::CARDINAL, 0, 1)?.reply()?;
        let is_its = owner.value32().and_then(|mut values| values.next()) == Some(pid);
        let map_state = x.get_window_attributes(window)?.reply()?.map_state;
        if is_its && map_state == MapState::VIEWABLE {
            return Ok(window);
        }
    }
    bail!("process {pid} shows no window")
}

fn atom(x: &RustConnection, name: &str) -> anyhow::Result<u32> {
    Ok(x.intern_atom(false, name.as_bytes())?.reply()?.atom)
}
