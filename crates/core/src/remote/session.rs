//! A signed-in session: two tokens, whose they are, and for how long.
//!
//! Neither token is ever printed. How long the access token lasts is measured from the moment it
//! came, by the server's own "expires in", so that a clock that is years off changes nothing; what
//! it still gets wrong the server's answer to an expired token puts right.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::project::Project;
use crate::model::Timestamp;
use crate::providers::secret::Secret;

/// A token is replaced this long before it ends, so that no request starts with one that ends on
/// the way; a third of its life where that is less.
const MARGIN: Duration = Duration::from_secs(90);

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id, which is also the scope of what is theirs.
    pub id: Uuid,
    /// Empty where the account has none.
    pub email: String,
}

/// A signed-in session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Speaks for the user until it ends.
    pub access: Secret,
    /// Gets the next pair of tokens. Opaque: two forms of it are about.
    pub refresh: Secret,
    /// How long the access token lasts, from the moment it came.
    pub lifetime: Duration,
    /// When it came.
    pub received: Moment,
    /// Who is signed in.
    pub user: User,
}

/// A moment by the wall's clock and, within one run of the program, by one that is never set.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// By the wall's.
    pub wall: Timestamp,
    /// By the other; none where another run of the program noted it.
    pub steady: Option<Instant>,
}

impl Moment {
    /// Now.
    pub fn now(wall: Timestamp) -> Self {
        Self { wall, steady: Some(Instant::now()) }
    }

    /// How long ago it was; none where a clock that was set back in between makes it unknowable.
    ///
    /// The steady clock stands while the computer sleeps and the wall's may be set, so the longer of
    /// the two counts: a token replaced too early costs one request.
    pub fn age(self, now: Self) -> Option<Duration> {
        let wall = u64::try_from(now.wall.0.saturating_sub(self.wall.0)).ok();
        let wall = wall.map(Duration::from_millis);
        let steady = self.steady.zip(now.steady).map(|(then, now)| now - then);
        wall.max(steady)
    }
}

impl Session {
    /// Whether the access token should be replaced before it is used.
    pub fn is_stale(&self, now: Moment) -> bool {
        self.left(now) <= MARGIN.min(self.lifetime / 3)
    }

    /// Whether the access token has ended, as far as this computer can tell.
    pub fn has_ended(&self, now: Moment) -> bool {
        self.left(now).is_zero()
    }

    fn left(&self, now: Moment) -> Duration {
        let age = self.received.age(now);
        age.map_or(Duration::ZERO, |age| self.lifetime.saturating_sub(age))
    }
}

/// A session as it is kept between two runs of the program.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    version: u32,
    /// The project's address: a token is for nobody else.
    url: String,
    user_id: Uuid,
    email: String,
    refresh: std::borrow::Cow<'a, str>,
    /// Left out where there is no room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access: Option<std::borrow::Cow<'a, str>>,
    lifetime_s: u64,
    received_ms: i64,
}

const VERSION: u32 = 1;

impl Session {
    /// The session as text of at most `room` bytes: without the access token, where it is too long.
    pub(super) fn to_text(&self, project: &Project, room: usize) -> Zeroizing<String> {
        let mut kept = Kept {
            version: VERSION,
            url: project.url(),
            user_id: self.user.id,
            email: self.user.email.clone(),
            refresh: self.refresh.expose().into(),
            access: Some(self.access.expose().into()),
            lifetime_s: self.lifetime.as_secs(),
            received_ms: self.received.wall.0,
        };
        let text = Zeroizing::new(text(&kept));
        if text.len() <= room {
            return text;
        }
        kept.access = None;
        Zeroizing::new(self::text(&kept))
    }

    /// Reads a kept session of this project; none where it is another's, or no session.
    pub(super) fn from_text(text: &str, project: &Project) -> Option<Self> {
        let kept: Kept<'_> = serde_json::from_str(text).ok()?;
        if kept.version != VERSION || kept.url != project.url() || kept.refresh.is_empty() {
            return None;
        }
        let access = kept.access.unwrap_or_default();
        // Without its access token it has ended, and the first thing to do is to get another.
        let lifetime = if access.is_empty() { 0 } else { kept.lifetime_s };
        Some(Self {
            access: Secret::new(access),
            refresh: Secret::new(kept.refresh),
            lifetime: Duration::from_secs(lifetime),
            received: Moment { wall: Timestamp(kept.received_ms), steady: None },
            user: User { id: kept.user_id, email: kept.email },
        })
    }

    /// Whether both hold the same refresh token.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.refresh.expose() == other.refresh.expose()
    }
}

fn text(kept: &Kept<'_>) -> String {
    serde_json::to_string(kept).expect("strings and numbers always serialise")
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEARS: i64 = 10 * 365 * 24 * 3600 * 1000;

    fn project() -> Project {
        Project::parse("https://abc.supabase.co", "sb_publishable_1").expect("usable")
    }

    fn session(lifetime_s: u64) -> Session {
        Session {
            access: Secret::new("access-planted"),
            refresh: Secret::new("refresh-planted"),
            lifetime: Duration::from_secs(lifetime_s),
            received: Moment::now(Timestamp(1_790_000_000_000)),
            user: User { id: Uuid::from_u128(7), email: "ann@example.com".into() },
        }
    }

    fn later(session: &Session, steady_s: u64, wall_ms: i64) -> Moment {
        let then = session.received;
        Moment {
            wall: Timestamp(then.wall.0 + wall_ms),
            steady: then.steady.map(|at| at + Duration::from_secs(steady_s)),
        }
    }

    #[test]
    fn a_token_is_stale_before_it_has_ended() {
        let hour = session(3600);
        let at = |s: u64| later(&hour, s, i64::try_from(s).expect("small") * 1000);
        assert!(!hour.is_stale(at(3500)));
        assert!(hour.is_stale(at(3511)) && !hour.has_ended(at(3511)));
        assert!(hour.has_ended(at(3600)));
        // One that lives for a minute is not replaced at every request.
        assert!(!session(60).is_stale(later(&session(60), 30, 30_000)));
    }

    #[test]
    fn a_clock_ten_years_off_neither_ends_a_token_nor_keeps_it() {
        let hour = session(3600);
        // Set back while the program runs: the steady clock knows.
        assert!(!hour.is_stale(later(&hour, 60, -YEARS)));
        assert!(hour.has_ended(later(&hour, 3600, -YEARS)));
        // Set forward: one token too many, which notes the new time.
        assert!(hour.has_ended(later(&hour, 60, YEARS)));
        // Asleep: the steady clock stood.
        assert!(hour.has_ended(later(&hour, 60, 8 * 3600 * 1000)));
    }

    #[test]
    fn a_kept_session_comes_back() {
        let read = Session::from_text(&session(3600).to_text(&project(), 4096), &project());
        let read = read.expect("a session");
        assert_eq!(read.access.expose(), "access-planted");
        assert_eq!(read.user, session(1).user);
        let next_run = |ms: i64| Moment::now(Timestamp(1_790_000_000_000 + ms));
        assert!(!read.is_stale(next_run(60_000)));
        assert!(read.is_stale(next_run(-1)), "a clock that was set back says nothing");
    }

    #[test]
    fn where_there_is_no_room_the_refresh_token_alone_is_kept() {
        let mut session = session(3600);
        session.access = Secret::new("access-planted".repeat(100));
        let text = session.to_text(&project(), 400);
        assert!(text.len() <= 400 && !text.contains("access-planted"), "{}", text.len());
        let read = Session::from_text(&text, &project()).expect("a session");
        assert_eq!(read.refresh.expose(), "refresh-planted");
        assert!(read.has_ended(Moment::now(Timestamp(1_790_000_000_001))));
    }

    #[test]
    fn a_session_is_for_its_own_project() {
        let other = Project::parse("https://xyz.supabase.co", "sb_publishable_1").expect("usable");
        let text = session(3600).to_text(&project(), 4096);
        assert!(Session::from_text(&text, &other).is_none());
        for broken in ["", "{}", "null", "not json"] {
            assert!(Session::from_text(broken, &project()).is_none(), "{broken}");
        }
    }

    #[test]
    fn tokens_are_never_printed() {
        assert!(!format!("{:?}", session(1)).contains("planted"));
    }
}
