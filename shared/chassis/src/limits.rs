//! How much anybody may ask at once: per connection by the transport, per organisation by the gate.

use kernel::{Organisation, Refusal, general};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much may be asked at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls that run at once on one connection; more wait.
    pub calls_per_connection: usize,
    /// Calls and streams that are open at once on one connection; more are refused by HTTP/2.
    pub streams_per_connection: u32,
    /// Bytes of headers of one call.
    pub header_bytes: u32,
    /// Calls that a caller may take back before they were looked at; then the connection is closed.
    pub pending_resets: usize,
    /// How often a quiet connection is asked whether it still lives.
    pub ping_every: Duration,
    /// How long a connection takes new calls; then its caller opens another.
    pub connection_age: Duration,
    /// Calls of one organisation in a second; `None` for no limit. The services' own are not counted.
    pub calls_per_second: Option<u32>,
    /// So many of them may come at once.
    pub burst: u32,
    /// Streams that one organisation has open.
    pub streams_per_organisation: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_per_connection: 256,
            streams_per_connection: 256,
            header_bytes: 32 * 1024,
            pending_resets: 20,
            ping_every: Duration::from_secs(30),
            connection_age: Duration::from_secs(3600),
            calls_per_second: None,
            burst: 400,
            streams_per_organisation: 100,
        }
    }
}

impl Limits {
    /// What holds for a service that others can reach, changed by a text such as `calls_per_second=50 header_bytes=16384`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut limits = Self { calls_per_second: Some(200), ..Self::default() };
        for entry in text.split_whitespace() {
            let (name, value) = entry.split_once('=').ok_or_else(|| format!("{entry:?} is not NAME=NUMBER"))?;
            let number: u32 = value.parse().map_err(|_| format!("{entry:?}: {value:?} is no whole number"))?;
            if number == 0 && name != "calls_per_second" {
                return Err(format!("{entry:?}: nothing at all would pass"));
            }
            let seconds = Duration::from_secs(number.into());
            match name {
                "calls_per_connection" => limits.calls_per_connection = number as usize,
                "streams_per_connection" => limits.streams_per_connection = number,
                "header_bytes" => limits.header_bytes = number,
                "pending_resets" => limits.pending_resets = number as usize,
                "ping_seconds" => limits.ping_every = seconds,
                "connection_seconds" => limits.connection_age = seconds,
                // Zero is no limit.
                "calls_per_second" => limits.calls_per_second = Some(number).filter(|number| *number > 0),
                "burst" => limits.burst = number,
                "streams_per_organisation" => limits.streams_per_organisation = number as usize,
                _ => return Err(format!("{entry:?}: there is no limit of that name")),
            }
        }
        Ok(limits)
    }
}

/// How long a call may take whose caller does not say how long it waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// Organisations are forgotten from this many on, those first that have been quiet.
const MANY: usize = 10_000;

/// What each organisation asks for now.
#[derive(Debug)]
pub(crate) struct Shares {
    limits: Limits,
    /// When each would have made its calls at an even pace.
    paces: Mutex<HashMap<Organisation, Instant>>,
    streams: Mutex<HashMap<Organisation, usize>>,
}

impl Shares {
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, paces: Mutex::default(), streams: Mutex::default() })
    }

    /// Counts a call, unless there are too many: an even pace, with room for a burst.
    pub fn count(&self, organisation: &Organisation, now: Instant) -> Result<(), Refusal> {
        let Some(per_second) = self.limits.calls_per_second else { return Ok(()) };
        let step = Duration::from_secs(1) / per_second;
        let room = step * (self.limits.burst.max(1) - 1);
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        if paces.len() >= MANY {
            paces.retain(|_, due| *due > now);
        }
        let due = paces.get(organisation).copied().unwrap_or(now).max(now);
        match (due - now).checked_sub(room).filter(|wait| !wait.is_zero()) {
            Some(wait) => {
                let retry = wait.as_millis() + 1;
                Err(general::TOO_MANY_CALLS.with("per_second", per_second).with("retry_ms", retry))
            }
            None => {
                paces.insert(organisation.clone(), due + step);
                Ok(())
            }
        }
    }

    /// A place for one more stream of an organisation; it is free again when it is dropped.
    pub fn place(self: &Arc<Self>, organisation: &Organisation) -> Result<Place, Refusal> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let open = streams.entry(organisation.clone()).or_default();
        if *open >= self.limits.streams_per_organisation {
            return Err(general::TOO_MANY_STREAMS.with("most", self.limits.streams_per_organisation));
        }
        *open += 1;
        Ok(Place { shares: self.clone(), organisation: organisation.clone() })
    }
}

/// The place of one open stream.
#[derive(Debug)]
pub(crate) struct Place {
    shares: Arc<Shares>,
    organisation: Organisation,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut streams = self.shares.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = streams.get_mut(&self.organisation) {
            *open -= 1;
            if *open == 0 {
                streams.remove(&self.organisation);
            }
        }
    }
}

/// How far a call may go: until when its caller waits, and the place of the stream that it opens.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// None when a service acts on its own.
    pub(crate) deadline: Option<Instant>,
    pub(crate) place: Option<Arc<Place>>,
}

impl Bounds {
    /// Of a caller that waits this long from now on: the value of the header `grpc-timeout`.
    pub fn until(header: &str) -> Self {
        let waits = timeout(header).unwrap_or(PATIENCE);
        Self { deadline: Instant::now().checked_add(waits), place: None }
    }
}

/// How long a caller waits, from the header `grpc-timeout`: at most eight digits and a unit.
fn timeout(header: &str) -> Option<Duration> {
    let (number, unit) = header.split_at_checked(header.len().checked_sub(1)?)?;
    if number.is_empty() || number.len() > 8 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisation(code: &str) -> Organisation {
        Organisation::parse("code", code).unwrap()
    }

    fn shares(text: &str) -> Arc<Shares> {
        Shares::new(Limits::parse(text).unwrap())
    }

    #[test]
    fn an_organisation_has_an_even_pace_with_room_for_a_burst() {
        let (shares, start) = (shares("calls_per_second=10 burst=5"), Instant::now());
        let (one, other) = (organisation("trivire"), organisation("woonbron"));
        let at = |ms: u64| start + Duration::from_millis(ms);
        let passed = |organisation: &Organisation, ms: u64| {
            (0..20).filter(|_| shares.count(organisation, at(ms)).is_ok()).count()
        };
        assert_eq!(passed(&one, 0), 5);
        assert_eq!(passed(&other, 0), 5, "another has its own");
        let refusal = shares.count(&one, at(0)).unwrap_err();
        assert_eq!(refusal.reason.code, "TOO_MANY_CALLS");
        assert_eq!(refusal.facts, [("per_second", "10".to_owned()), ("retry_ms", "101".to_owned())]);
        assert_eq!(passed(&one, 99), 0);
        assert_eq!(passed(&one, 101), 1, "after what was said it passes");
        assert_eq!(passed(&one, 1101), 5, "a second of rest gives the whole burst, and no more");
        let unlimited = self::shares("calls_per_second=0");
        assert!((0..10_000).all(|_| unlimited.count(&one, start).is_ok()));
    }

    #[test]
    fn a_stream_that_ends_gives_its_place_to_another() {
        let (shares, one) = (shares("streams_per_organisation=2"), organisation("trivire"));
        let (first, second) = (shares.place(&one).unwrap(), shares.place(&one).unwrap());
        assert_eq!(shares.place(&one).unwrap_err().reason.code, "TOO_MANY_STREAMS");
        let other = shares.place(&organisation("woonbron")).unwrap();
        drop(first);
        let third = shares.place(&one).unwrap();
        drop((second, third, other));
        assert!(shares.streams.lock().unwrap().is_empty());
    }

    #[test]
    fn a_limit_that_is_no_limit_is_named() {
        assert_eq!(Limits::parse("").unwrap().calls_per_second, Some(200));
        for (text, why) in [
            ("x=1", "no limit of that name"),
            ("burst=x", "no whole number"),
            ("burst", "NAME=NUMBER"),
            ("burst=0", "nothing at all"),
        ] {
            assert!(Limits::parse(text).unwrap_err().contains(why), "{text}");
        }
    }

    #[test]
    fn a_timeout_is_what_grpc_says_it_is() {
        for (header, wanted) in [
            ("100m", Some(Duration::from_millis(100))),
            ("2S", Some(Duration::from_secs(2))),
            ("1H", Some(Duration::from_secs(3600))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("", None),
            ("S", None),
            ("5", None),
            ("-1S", None),
            ("+1S", None),
            ("999999999S", None),
            ("1 S", None),
            ("1\u{e9}", None),
        ] {
            assert_eq!(timeout(header), wanted, "{header:?}");
        }
    }
}
