//! Where a provider is, as a person typed it, made into something that can be asked.
//!
//! Accepted is what people paste: with or without a scheme, a trailing slash, `/v1`, or the whole
//! address of an endpoint. Only http and https; plain http only to this computer and to names and
//! addresses of a private network, because a key and a conversation would cross the internet
//! readable. There is no switch against that: who needs it puts TLS in front. An address with a
//! user name or a password is refused, because it would end up in settings and logs.

use std::net::{IpAddr, Ipv6Addr};

use url::{Host, Url};

use crate::error::{Code, Failure};
use crate::model::ProviderKind;

/// Where a provider is: an address that ends in its version (`…/v1`) and has no query.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: Url,
    near: Near,
}

/// How far away a provider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Near {
    /// This computer: never asked through a proxy.
    Loopback,
    /// A private network.
    Private,
    /// The internet.
    No,
}

impl BaseUrl {
    /// Reads what a person typed.
    pub fn parse(typed: &str, kind: ProviderKind) -> Result<Self, Failure> {
        let mut url = Url::parse(&with_scheme(typed.trim())).map_err(|_| unusable())?;
        let near = near(url.host().ok_or_else(unusable)?);
        match url.scheme() {
            "https" => {}
            "http" if near != Near::No => {}
            "http" => return Err(readable_by_all()),
            _ => return Err(unusable()),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(carries_a_password());
        }
        url.set_query(None);
        url.set_fragment(None);
        let path = versioned(url.path(), kind);
        url.set_path(&path);
        Ok(Self { url, near })
    }

    /// The address of an endpoint, such as `chat/completions`.
    pub fn join(&self, endpoint: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{endpoint}", self.url.path()));
        url
    }

    /// Host and, where it is not the usual one, port: what a person reads.
    pub fn place(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// How far away it is.
    pub fn near(&self) -> Near {
        self.near
    }
}

impl std::fmt::Debug for BaseUrl {
    // The path is left out: some gateways put a token there.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BaseUrl({}://{}/…)", self.url.scheme(), self.place())
    }
}

fn with_scheme(typed: &str) -> String {
    if typed.contains("://") {
        return typed.to_owned();
    }
    let secure = format!("https://{typed}");
    let plain =
        Url::parse(&secure).is_ok_and(|url| url.host().is_some_and(|host| near(host) != Near::No));
    if plain { format!("http://{typed}") } else { secure }
}

fn versioned(path: &str, kind: ProviderKind) -> String {
    let mut path = path.trim_end_matches('/');
    for endpoint in ["/chat/completions", "/messages", "/models"] {
        path = path.strip_suffix(endpoint).unwrap_or(path);
    }
    // OpenAI-compatible servers choose their own path (`/openai/v1`, `/v1beta/openai`): only a
    // missing one is filled in. Anthropic's is fixed below whatever a gateway puts before it.
    let complete = match kind {
        ProviderKind::Anthropic => path.ends_with("/v1"),
        ProviderKind::Openai | ProviderKind::Local => !path.is_empty(),
    };
    if complete { path.to_owned() } else { format!("{path}/v1") }
}

fn near(host: Host<&str>) -> Near {
    match host {
        Host::Ipv4(ip) => near_ip(IpAddr::V4(ip)),
        Host::Ipv6(ip) => near_ip(ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)),
        Host::Domain(name) => near_name(name.trim_end_matches('.')),
    }
}

fn near_ip(ip: IpAddr) -> Near {
    let private = match ip {
        IpAddr::V4(v4) => v4.is_private() || is_shared(v4.octets()),
        IpAddr::V6(v6) => is_unique_local(v6) || (v6.segments()[0] & 0xffc0) == 0xfe80,
    };
    match (ip.is_loopback(), private) {
        (true, _) => Near::Loopback,
        (false, true) => Near::Private,
        (false, false) => Near::No,
    }
}

/// 100.64.0.0/10 (RFC 6598): what overlay networks such as Tailscale hand out.
fn is_shared([a, b, ..]: [u8; 4]) -> bool {
    a == 100 && (64..128).contains(&b)
}

fn is_unique_local(ip: Ipv6Addr) -> bool {
    (ip.segments()[0] & 0xfe00) == 0xfc00
}

fn near_name(name: &str) -> Near {
    const PRIVATE: [&str; 5] = [".local", ".lan", ".internal", ".home.arpa", ".intranet"];
    if name == "localhost" || name.ends_with(".localhost") {
        Near::Loopback
    } else if !name.contains('.') || PRIVATE.iter().any(|end| name.ends_with(end)) {
        Near::Private
    } else {
        Near::No
    }
}

fn unusable() -> Failure {
    Failure::new(Code::InvalidInput, "The provider's address cannot be used.")
        .hint("Enter an address such as https://api.openai.com/v1 under Settings → Models.")
}

fn readable_by_all() -> Failure {
    Failure::new(
        Code::InvalidInput,
        "The provider's address begins with http: your key and your messages would cross the \
         internet readable by others. Nothing was sent.",
    )
    .hint("Use https. Plain http works only for this computer and private networks.")
}

fn carries_a_password() -> Failure {
    Failure::new(Code::InvalidInput, "The provider's address contains a user name or a password.")
        .hint("Leave it out of the address, and enter the key in its own field.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(typed: &str) -> String {
        let base = BaseUrl::parse(typed, ProviderKind::Openai).expect("usable");
        base.join("chat/completions").to_string()
    }

    #[test]
    fn what_people_paste_becomes_one_address() {
        for typed in [
            "https://api.openai.com",
            "https://api.openai.com/",
            "https://api.openai.com/v1",
            "https://api.openai.com/v1/",
            " https://api.openai.com/v1/chat/completions?x=1#y ",
            "api.openai.com",
            "api.openai.com/v1/models",
        ] {
            assert_eq!(chat(typed), "https://api.openai.com/v1/chat/completions", "{typed}");
        }
    }

    #[test]
    fn a_path_of_its_own_is_kept() {
        assert_eq!(
            chat("https://api.groq.com/openai/v1/"),
            "https://api.groq.com/openai/v1/chat/completions"
        );
        assert_eq!(chat("localhost:11434"), "http://localhost:11434/v1/chat/completions");
    }

    #[test]
    fn anthropic_always_gets_its_version() {
        for typed in ["https://api.anthropic.com", "https://api.anthropic.com/v1/messages"] {
            let base = BaseUrl::parse(typed, ProviderKind::Anthropic).expect("usable");
            assert_eq!(base.join("messages").as_str(), "https://api.anthropic.com/v1/messages");
        }
        let gateway = BaseUrl::parse("https://gw.example.com/claude", ProviderKind::Anthropic);
        assert_eq!(
            gateway.expect("usable").join("messages").as_str(),
            "https://gw.example.com/claude/v1/messages"
        );
    }

    #[test]
    fn plain_http_reaches_only_private_places() {
        for near in [
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://[::ffff:127.0.0.1]",
            "http://192.168.1.20",
            "http://10.0.0.3:1234",
            "http://100.101.102.103",
            "http://[fd00::1]",
            "http://nas.local",
            "http://gpu-box",
        ] {
            assert!(BaseUrl::parse(near, ProviderKind::Openai).is_ok(), "{near}");
        }
        for far in [
            "http://api.openai.com",
            "http://8.8.8.8",
            "http://169.254.169.254",
            "http://172.32.0.1",
            "http://localhost.example.com",
            "http://[2606:4700::1]",
        ] {
            let failure = BaseUrl::parse(far, ProviderKind::Openai).expect_err(far);
            assert_eq!(failure.code, Code::InvalidInput, "{far}");
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for bad in ["", "   ", "file:///etc/passwd", "ftp://host/v1", "https://", "javascript://x"]
        {
            assert!(BaseUrl::parse(bad, ProviderKind::Openai).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let failure = BaseUrl::parse("https://me:sk-planted@host.com", ProviderKind::Openai)
            .expect_err("refused");
        assert!(!format!("{failure:?}").contains("sk-planted"));
    }

    #[test]
    fn debug_shows_no_path() {
        let base = BaseUrl::parse("https://gw.example.com/t-planted/v1", ProviderKind::Openai);
        assert!(!format!("{base:?}").contains("planted"));
    }
}
