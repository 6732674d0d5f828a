//! The client's word: what consent, the release of secrecy and the agreement to help have in common (R-REG-27).
//!
//! The client gives it, or somebody records on which day the client said yes; it stands once, and ends at once and always.
//! What it is about stays a type of its own, so that a word of one kind is never taken for one of another.

use super::register::Register;
use kernel::{Date, Moment, Organisation, Reason, Refusal, Role};

/// The client's word about `W`. It ends on a day; where it matters who ended it, `E` says that too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word<I, W, E = Date> {
    /// Its id.
    pub id: I,
    /// What the client said yes to.
    pub wish: W,
    /// When.
    pub given_on: Date,
    /// How it ended; none while it was not taken back.
    pub ended: Option<E>,
}

/// What happened to the client's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<I, W, E = Date> {
    /// It was given.
    Given(Word<I, W, E>),
    /// It was taken back.
    Ended(Word<I, W, E>),
}

impl<I, W, E> Event<I, W, E> {
    /// The word as it is now.
    pub fn word(&self) -> &Word<I, W, E> {
        let (Event::Given(word) | Event::Ended(word)) = self;
        word
    }
}

/// What organisations in a role can need: about what, and for which purposes.
pub type Needs<C> = [(Role, &'static [C], &'static [&'static str])];

/// Whether an organisation can ever need this for that purpose, in one of its roles (R-REG-16).
pub fn can_need<C: PartialEq>(
    needs: &Needs<C>,
    register: &Register,
    organisation: &Organisation,
    about: &C,
    purpose: &str,
) -> bool {
    needs.iter().any(|(role, abouts, purposes)| {
        register.in_role(organisation, *role) && abouts.contains(about) && purposes.contains(&purpose)
    })
}

/// Refuses a text that the client cannot have read or heard.
pub fn read(texts: &[String], version: &str, unknown: &'static Reason) -> Result<(), Refusal> {
    match texts.iter().any(|text| text == version) {
        true => Ok(()),
        false => Err(unknown.with("version", version).with("known", texts.join(", "))),
    }
}

/// The day on which the client said yes: today when the client calls, or else the day that is told, which is not ahead.
pub fn said_on(
    (by_client, told_on): (bool, Option<Date>),
    evidence_missing: &'static Reason,
    now: Moment,
) -> Result<Date, Refusal> {
    match (by_client, told_on) {
        (true, _) => Ok(now.date),
        (false, Some(told_on)) if told_on <= now.date => Ok(told_on),
        (false, _) => Err(evidence_missing.into()),
    }
}

/// Gives the client's word, and gives back its id; one that stands already is given back as it is.
pub fn give<I: Copy, W: PartialEq, E>(
    words: &[Word<I, W, E>],
    id: I,
    wish: W,
    given_on: Date,
) -> (I, Option<Event<I, W, E>>) {
    match words.iter().find(|word| word.ended.is_none() && word.wish == wish) {
        Some(stands) => (stands.id, None),
        None => (id, Some(Event::Given(Word { id, wish, given_on, ended: None }))),
    }
}

/// Takes it back, at once and always; nothing is left to do when it was taken back before.
pub fn end<I: Copy + PartialEq, W: Clone, E>(
    words: &[Word<I, W, E>],
    id: I,
    unknown: &'static Reason,
    how: E,
) -> Result<Option<Event<I, W, E>>, Refusal> {
    let word = words.iter().find(|word| word.id == id).ok_or(unknown)?;
    Ok(word.ended.is_none().then(|| {
        let Word { id, given_on, .. } = *word;
        Event::Ended(Word { id, wish: word.wish.clone(), given_on, ended: Some(how) })
    }))
}
