//! What a client may do with the own file, by age (R-REG-21).

/// Who reads a file as the client's own. From low to high, as a client grows up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnAccess {
    /// Under 12: the legal representative only.
    None,
    /// From 12 up to and including 15: the client, and the legal representative.
    Shared,
    /// From 16: the client only.
    Own,
}

impl OwnAccess {
    /// Every one, in the order of the contract.
    pub const ALL: &'static [OwnAccess] = &[OwnAccess::None, OwnAccess::Shared, OwnAccess::Own];

    /// The key under which it is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            OwnAccess::None => "none",
            OwnAccess::Shared => "shared",
            OwnAccess::Own => "own",
        }
    }

    /// The one with that key.
    pub fn from_key(key: &str) -> Option<OwnAccess> {
        OwnAccess::ALL.iter().copied().find(|level| level.as_str() == key)
    }
}
