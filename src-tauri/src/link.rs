//! Which links may leave the app, and the one place where they do.
//!
//! A link in an answer is written by a model, or by whoever wrote what the model read. Only `https`
//! and `mailto` are opened, and only where what a person reads is what the browser gets.

use tidemark_core::{Code, Failure};
use url::Url;

/// Longer ones are not links that a person meant to open.
const LONGEST: usize = 8 * 1024;

/// Hands a link to the system's browser or mail program.
pub(crate) fn open(link: &str) -> Result<(), Failure> {
    let url = checked(link)?;
    tauri_plugin_opener::open_url(url.as_str(), None::<&str>).map_err(|_| {
        // The error would name the link, which is nobody's business but the person's.
        tracing::warn!("no program took a link");
        Failure::new(Code::Internal, "No program on this computer opened the link.")
            .hint("Copy the link and paste it into a browser.")
    })
}

/// The link as it may be opened.
pub(crate) fn checked(link: &str) -> Result<Url, Failure> {
    let plain = link.len() <= LONGEST && !link.chars().any(is_deceptive);
    let url = plain.then(|| Url::parse(link).ok()).flatten().ok_or_else(refused)?;
    let harmless = match url.scheme() {
        "https" => has_prefix(link, "https://") && is_web(&url),
        "mailto" => has_prefix(link, "mailto:") && is_mail(&url),
        _ => false,
    };
    if harmless { Ok(url) } else { Err(refused()) }
}

/// Blanks, control characters, what turns the direction of writing or takes no room, and the
/// backslash that some programs read as a slash.
fn is_deceptive(c: char) -> bool {
    let unseen = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}');
    unseen || c.is_whitespace() || c.is_control() || c == '\\'
}

/// A host, and no name or password: `https://bank.example@evil.example` reads like another place.
fn is_web(url: &Url) -> bool {
    url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none()
}

/// An address with a subject and a body at most. Some mail programs attach files that a link names,
/// and a line break in a header adds headers.
fn is_mail(url: &Url) -> bool {
    let fields = url.query_pairs().all(|(name, value)| match &*name.to_ascii_lowercase() {
        "body" => !value.contains('\0'),
        "subject" | "to" | "cc" | "bcc" => !value.chars().any(char::is_control),
        _ => false,
    });
    fields && url.path().contains('@') && !url.path().contains('%') && url.fragment().is_none()
}

fn has_prefix(link: &str, prefix: &str) -> bool {
    link.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn refused() -> Failure {
    Failure::new(Code::Refused, "This link was not opened.")
        .hint("Only plain https and mailto links open from here.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_links_open_as_they_read() {
        for link in [
            "https://example.org",
            "HTTPS://example.org/a?b=c#d",
            "https://example.org:8443/path%20with/escapes",
            "https://пример.рф/страница",
            "https://[2001:db8::1]/",
            "mailto:ann@example.org",
            "MAILTO:ann@example.org?subject=Dose%20of%20warfarin&body=Dear%20Ann,%0D%0Ahello",
        ] {
            assert!(checked(link).is_ok(), "{link}");
        }
    }

    #[test]
    fn an_international_host_is_passed_on_in_its_unambiguous_form() {
        let url = checked("https://аpple.com/").expect("it is a web link");
        assert_eq!(url.as_str(), "https://xn--pple-43d.com/");
    }

    #[test]
    fn other_schemes_are_refused() {
        for link in [
            "http://example.org",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "file:///etc/passwd",
            "smb://server/share",
            "ms-msdt:/id PCWDiagnostic",
            "search-ms:query=x",
            "vbscript:x",
            "tel:+123",
            "ftp://example.org",
            "tauri://localhost",
            "ipc://localhost",
            "blob:https://example.org/1",
            "view-source:https://example.org",
            "//example.org",
            "/etc/passwd",
            "example.org",
            "-https://example.org",
            "",
        ] {
            assert!(checked(link).is_err(), "{link}");
        }
    }

    #[test]
    fn what_reads_like_another_place_is_refused() {
        for link in [
            "https://bank.example@evil.example/",
            "https://user:secret@example.org/",
            "https://:secret@example.org/",
            "https:\\\\example.org",
            "https:example.org",
            "https:/example.org",
            "https://example.org\\@evil.example",
            "https://",
            " https://example.org",
            "https://example.org ",
            "https://example .org",
            "java\tscript:alert(1)",
            "https\t://example.org",
            "https://exam\nple.org",
            "https://example.org/\0",
            "https://example.org/\u{202e}gpj.exe",
            "https://example.org/\u{200b}",
            "https://example.org/\u{a0}",
            "https://example.org/\u{7f}",
        ] {
            assert!(checked(link).is_err(), "{link:?}");
        }
    }

    #[test]
    fn a_mail_link_can_attach_nothing_and_add_no_header() {
        for link in [
            "mailto:ann@example.org?attach=/etc/passwd",
            "mailto:ann@example.org?subject=x&attachment=c:%5Csecret",
            "mailto:ann@example.org?subject=x%0D%0ABcc:%20eve@example.org",
            "mailto:ann@example.org?body=%00",
            "mailto:ann@example.org%0D%0ABcc:eve@example.org",
            "mailto:",
        ] {
            assert!(checked(link).is_err(), "{link}");
        }
    }

    #[test]
    fn an_endless_link_is_refused() {
        assert!(checked(&format!("https://example.org/{}", "a".repeat(100_000_000))).is_err());
    }
}
