//! W3C trace context (`traceparent`), carried over calls and with each event of a feed.

use uuid::Uuid;

/// Which trace something belongs to, and which step of it this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    sampled: bool,
}

impl TraceContext {
    /// The header that carries it.
    pub const HEADER: &'static str = "traceparent";

    /// The first step of a new trace.
    pub fn root() -> Self {
        Self { trace: Uuid::new_v4().as_u128(), span: fresh_span(), sampled: true }
    }

    /// Reads `00-<trace>-<span>-<flags>`. A later version is read as far as this one goes; what is malformed or all
    /// zeros is nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |part: &str, length| {
            part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let whole = version != "00" || parts.next().is_none();
        if !(hex(version, 2) && version != "ff" && whole && hex(trace, 32) && hex(span, 16) && hex(flags, 2)) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self { trace, span, sampled: flags & 1 == 1 })
    }

    /// The step that a header continues, or the first of a new trace.
    pub fn from_header(header: Option<&str>) -> Self {
        header.and_then(Self::parse).map_or_else(Self::root, |parent| parent.child())
    }

    /// The next step of the same trace.
    pub fn child(&self) -> Self {
        Self { span: fresh_span(), ..*self }
    }

    /// The trace's id, for a log line.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }
}

impl std::fmt::Display for TraceContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

/// Eight random bytes that are not all zero: the low half of a version 4 UUID starts with its variant bits.
fn fresh_span() -> u64 {
    Uuid::new_v4().as_u64_pair().1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_stays_in_its_trace_and_reads_back() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = TraceContext::parse(text).unwrap();
        assert_eq!(parent.to_string(), text);
        let child = parent.child();
        assert_eq!(child.trace_id(), parent.trace_id());
        assert_ne!(child, parent);
        assert_eq!(TraceContext::parse(&child.to_string()), Some(child));
        assert_ne!(TraceContext::root().trace_id(), TraceContext::root().trace_id());
        assert_eq!(TraceContext::from_header(Some(text)).trace_id(), parent.trace_id());
    }

    #[test]
    fn what_is_malformed_starts_a_new_trace() {
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
        assert!(TraceContext::parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more").is_some());
    }
}
