//! Who the client is. Names, BSN and address live here and nowhere else in the chain.

use super::{age, check_day, check_span, plus_days};
use kernel::{Bsn, ClientId, Date, Moment, Municipality, Organisation, Refusal, general};

kernel::reasons! {
    CLIENT_IDENTITY_INCOMPLETE: Malformed, "R-ACC-11",
        "Without a BSN more is needed to know who this is.", "Zonder BSN is meer nodig om te weten wie dit is.",
        "Give the BSN, or postcode and house number, or say that there is no address.",
        "Geef het BSN, of postcode en huisnummer, of zeg dat er geen adres is.";
    CLIENT_DIED: Rule, "R-REG-29",
        "The client died on {on}; nothing new is recorded.", "De cliënt is overleden op {on}; er wordt niets nieuws vastgelegd.",
        "Check whether this is the right client.", "Controleer of dit de juiste cliënt is.";
}

/// A home address.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Home {
    /// Four digits and two letters.
    pub postcode: String,
    /// With addition.
    pub house_number: String,
}

/// Who somebody is (R-ACC-11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Surname with prefix.
    pub surname: String,
    /// First names.
    pub first_names: String,
    /// Birth date.
    pub birth_date: Date,
    /// BSN, once known.
    pub bsn: Option<Bsn>,
    /// V-number, if any.
    pub v_number: Option<String>,
    /// Home address, if any.
    pub home: Option<Home>,
    /// Telephone number, if any.
    pub phone: Option<String>,
    /// E-mail address, if any.
    pub email: Option<String>,
}

/// An identity as somebody gave it, not looked at yet. Empty texts mean: not given.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Surname with prefix.
    pub surname: String,
    /// First names.
    pub first_names: String,
    /// Birth date.
    pub birth_date: Option<Date>,
    /// BSN.
    pub bsn: String,
    /// V-number.
    pub v_number: String,
    /// Postcode.
    pub postcode: String,
    /// House number.
    pub house_number: String,
    /// There is no home address.
    pub no_address: bool,
    /// Telephone number.
    pub phone: String,
    /// E-mail address.
    pub email: String,
}

impl Identity {
    /// Reads an identity, and names all fields that are wrong at once.
    pub fn try_new(given: &Given, now: Moment) -> Result<Self, Refusal> {
        let mut wrong: Vec<(&'static str, &'static str, &'static str)> = Vec::new();
        for (path, text, most, required) in [
            ("identity.surname", &given.surname, 100, true),
            ("identity.first_names", &given.first_names, 100, true),
            ("identity.house_number", &given.house_number, 20, false),
            ("identity.phone", &given.phone, 30, false),
            ("identity.email", &given.email, 200, false),
        ] {
            if required && text.trim().is_empty() {
                wrong.push((path, "is required", "is verplicht"));
            } else if text.chars().count() > most {
                wrong.push((path, "is too long", "is te lang"));
            } else if text.chars().any(char::is_control) {
                wrong.push((path, "has control characters", "heeft besturingstekens"));
            }
        }
        if given.birth_date.is_none() {
            wrong.push(("identity.birth_date", "is required", "is verplicht"));
        }
        let bsn = (!given.bsn.is_empty()).then(|| Bsn::parse("identity.bsn", &given.bsn)).and_then(|read| match read {
            Ok(bsn) => Some(bsn),
            Err(_) => {
                wrong.push(("identity.bsn", "is not a valid BSN", "is geen geldig BSN"));
                None
            }
        });
        let ten_digits = given.v_number.len() == 10 && given.v_number.bytes().all(|b| b.is_ascii_digit());
        if !given.v_number.is_empty() && !ten_digits {
            wrong.push(("identity.v_number", "is not ten digits", "is geen tien cijfers"));
        }
        if !given.postcode.is_empty() && !is_postcode(&given.postcode) {
            wrong.push(("identity.postcode", "is not like 1234AB", "is niet als 1234AB"));
        }
        if given.email.chars().filter(|c| *c == '@').count() != 1 && !given.email.is_empty() {
            wrong.push(("identity.email", "is not an e-mail address", "is geen e-mailadres"));
        }
        let Some(birth_date) = given.birth_date.filter(|_| wrong.is_empty()) else {
            return Err(wrong
                .into_iter()
                .fold(Refusal::from(&general::MALFORMED), |r, (path, en, nl)| r.field(path, en, nl)));
        };
        // Nobody is older than 120.
        check_day("identity.birth_date", birth_date, plus_days(now.date, -120 * 366), now)?;
        let home = (!given.postcode.is_empty() && !given.house_number.is_empty() && !given.no_address)
            .then(|| Home { postcode: given.postcode.clone(), house_number: given.house_number.trim().to_owned() });
        if bsn.is_none() && home.is_none() && !given.no_address && given.bsn.is_empty() {
            return Err(CLIENT_IDENTITY_INCOMPLETE
                .field("identity.bsn", "is not known", "is niet bekend")
                .field("identity.postcode", "is needed without BSN", "is nodig zonder BSN")
                .field("identity.house_number", "is needed without BSN", "is nodig zonder BSN"));
        }
        let kept = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        Ok(Self {
            surname: given.surname.trim().to_owned(),
            first_names: given.first_names.trim().to_owned(),
            birth_date,
            bsn,
            v_number: kept(&given.v_number),
            home,
            phone: kept(&given.phone),
            email: kept(&given.email),
        })
    }
}

impl Identity {
    /// The same without what a letter, a call or a message needs (R-REG-28).
    pub fn without_contact(self) -> Self {
        Self { home: None, phone: None, email: None, ..self }
    }

    /// The same, reached as the other one is: for a correction by somebody who may not see how (R-REG-28).
    pub fn reached_as(self, other: &Identity) -> Self {
        Self { home: other.home.clone(), phone: other.phone.clone(), email: other.email.clone(), ..self }
    }
}

fn is_postcode(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 6 && b[0] != b'0' && b[..4].iter().all(u8::is_ascii_digit) && b[4..].iter().all(u8::is_ascii_uppercase)
}

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Municipality of registration.
    pub municipality: Municipality,
    /// Who registered the client.
    pub registered_by: Organisation,
    /// Who it is.
    pub identity: Identity,
    /// The day of death, if any.
    pub died_on: Option<Date>,
}

/// What other rules need to know of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Birth date.
    pub born: Date,
    /// Day of death, if any.
    pub died_on: Option<Date>,
}

impl Life {
    /// Refuses anything new for somebody who died (R-REG-29).
    pub fn check_alive(&self) -> Result<(), Refusal> {
        self.died_on.map_or(Ok(()), |on| Err(CLIENT_DIED.with("on", on)))
    }

    /// Whole years of age.
    pub fn age(&self, on: Date) -> i32 {
        age(self.born, on)
    }
}

impl Client {
    /// What other rules need to know.
    pub fn life(&self) -> Life {
        Life { born: self.identity.birth_date, died_on: self.died_on }
    }
}

/// What is asked of a registered client.
#[derive(Clone, Debug)]
pub enum Command {
    /// Replace the identity data (R-REG-26).
    Correct {
        /// All of them.
        identity: Box<Identity>,
        /// Another client with that BSN, if there is one.
        known_as: Option<ClientId>,
    },
    /// The client died (R-REG-29).
    Die {
        /// The day.
        on: Date,
    },
}

/// What happened to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Registered.
    Registered(Box<Client>),
    /// Another record may be the same person.
    DuplicateSuspected {
        /// The record that was there first.
        of: ClientId,
    },
    /// Identity data replaced.
    Corrected(Box<Identity>),
    /// Died.
    Died {
        /// The day.
        on: Date,
    },
}

/// Registers a client. A BSN that is known gives one event more and no other answer (R-REG-26).
pub fn register(client: Client, known_as: Option<ClientId>) -> Vec<Event> {
    let mut events = vec![Event::Registered(Box::new(client))];
    events.extend(known_as.map(|of| Event::DuplicateSuspected { of }));
    events
}

/// What may happen to a registered client.
pub fn decide(state: &Client, command: &Command, now: Moment) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Correct { identity, .. } if **identity == state.identity => Ok(vec![]),
        Command::Correct { identity, known_as } => {
            state.life().check_alive()?;
            let mut events = vec![Event::Corrected(identity.clone())];
            let new_bsn = identity.bsn != state.identity.bsn;
            events.extend(known_as.filter(|_| new_bsn).map(|of| Event::DuplicateSuspected { of }));
            Ok(events)
        }
        Command::Die { on } if state.died_on == Some(*on) => Ok(vec![]),
        Command::Die { on } => {
            state.life().check_alive()?;
            // A death abroad is sometimes heard of a year later.
            let oldest = plus_days(now.date, -731).max(state.identity.birth_date);
            check_span("died_on", *on, oldest, now.date)?;
            Ok(vec![Event::Died { on: *on }])
        }
    }
}

/// The client after an event.
pub fn apply(state: Client, event: &Event) -> Client {
    match event {
        Event::Registered(client) => Client::clone(client),
        Event::DuplicateSuspected { .. } => state,
        Event::Corrected(identity) => Client { identity: Identity::clone(identity), ..state },
        Event::Died { on } => Client { died_on: Some(*on), ..state },
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::samples::*;
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn given() -> Given {
        Given {
            surname: "de Vries".into(),
            first_names: "Anna".into(),
            birth_date: Some(date(1980, 5, 5)),
            bsn: "999990019".into(),
            ..Given::default()
        }
    }

    pub fn client() -> Client {
        Client {
            municipality: dordrecht(),
            registered_by: Organisation::parse("o", "leger-des-heils").unwrap(),
            identity: Identity::try_new(&given(), now()).unwrap(),
            died_on: None,
        }
    }

    fn refused(given: Given) -> Vec<String> {
        Identity::try_new(&given, now()).unwrap_err().fields.into_iter().map(|f| f.path).collect()
    }

    /// R-ACC-11
    #[test]
    fn without_a_bsn_the_address_is_needed_or_the_word_that_there_is_none() {
        let none = Given { bsn: String::new(), ..given() };
        let refusal = Identity::try_new(&none, now()).unwrap_err();
        assert_eq!(refusal.reason.code, "CLIENT_IDENTITY_INCOMPLETE");
        let at_home = Given { postcode: "3311AB".into(), house_number: "1a".into(), ..none.clone() };
        assert!(Identity::try_new(&at_home, now()).is_ok());
        assert!(Identity::try_new(&Given { no_address: true, ..none }, now()).unwrap().home.is_none());
    }

    /// R-ACC-11
    #[test]
    fn every_wrong_field_is_named_at_once() {
        let bad = Given { bsn: "123456789".into(), postcode: "0000AA".into(), email: "x".into(), ..Given::default() };
        assert_eq!(
            refused(bad),
            [
                "identity.surname",
                "identity.first_names",
                "identity.birth_date",
                "identity.bsn",
                "identity.postcode",
                "identity.email"
            ]
        );
        assert_eq!(refused(Given { birth_date: Some(date(2018, 3, 2)), ..given() }), ["identity.birth_date"]);
        assert_eq!(refused(Given { birth_date: Some(date(1880, 1, 1)), ..given() }), ["identity.birth_date"]);
    }

    /// R-REG-26
    #[test]
    fn a_known_bsn_is_registered_all_the_same_and_a_human_hears_of_it() {
        let of = ClientId(id(7));
        let first = Event::Registered(Box::new(client()));
        assert_eq!(register(client(), None), vec![first.clone()]);
        assert_eq!(register(client(), Some(of)), vec![first, Event::DuplicateSuspected { of }]);
    }

    /// R-REG-26
    #[test]
    fn a_correction_that_changes_nothing_says_nothing() {
        let same = Command::Correct { identity: Box::new(client().identity), known_as: Some(ClientId(id(7))) };
        assert_eq!(decide(&client(), &same, now()), Ok(vec![]));
        let identity = Box::new(Identity { bsn: None, ..client().identity });
        let other = Command::Correct { identity, known_as: None };
        assert_eq!(decide(&client(), &other, now()).unwrap().len(), 1);
    }

    /// R-REG-29
    #[test]
    fn somebody_dies_once() {
        let die = |on| Command::Die { on };
        let events = decide(&client(), &die(date(2018, 2, 20)), now()).unwrap();
        let dead = apply(client(), &events[0]);
        assert_eq!(decide(&dead, &die(date(2018, 2, 20)), now()), Ok(vec![]));
        for (state, command, code) in [
            (&dead, die(date(2018, 2, 21)), "CLIENT_DIED"),
            (
                &dead,
                Command::Correct { identity: Box::new(Identity { bsn: None, ..client().identity }), known_as: None },
                "CLIENT_DIED",
            ),
            (&client(), die(date(2018, 3, 2)), "ACCESS_DATE_IN_FUTURE"),
            (&client(), die(date(1999, 1, 1)), "ACCESS_DATE_TOO_OLD"),
        ] {
            assert_eq!(decide(state, &command, now()).unwrap_err().reason.code, code);
        }
    }

    proptest! {
        /// R-REG-17
        #[test]
        fn nothing_that_prints_an_identity_prints_the_bsn(surname in "[a-z]{1,9}") {
            let identity = Identity::try_new(&Given { surname, ..given() }, now()).unwrap();
            let printed = format!("{identity:?}");
            prop_assert!(!printed.contains("9999900"));
        }
    }
}
