//! A household is a dated set of persons (R-ACC-28). Sets are added, never changed.

use super::client::Life;
use super::codes::MemberRole;
use super::{age, check_span, plus_days};
use kernel::{ClientId, Date, Moment, Refusal};

kernel::reasons! {
    HOUSEHOLD_MEMBER_BORN_LATER: Malformed, "R-ACC-28",
        "Somebody in the household is born after {from_on}.", "Iemand in het huishouden is geboren na {from_on}.",
        "Record the household from the day of birth on.", "Leg het huishouden vast vanaf de geboortedag.";
    HOUSEHOLD_TOO_LARGE: Malformed, "R-ACC-28",
        "A household has at most 20 others.", "Een huishouden telt ten hoogste 20 anderen.",
        "Check the list of persons.", "Controleer de lijst van personen.";
}

/// Somebody beside the client.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Member {
    /// Relation to the client.
    pub role: MemberRole,
    /// Birth date.
    pub birth_date: Date,
    /// Their own id, when they are a client as well.
    pub client_id: Option<ClientId>,
    /// Whether the client has custody.
    pub custody: bool,
}

/// Who lives with the client from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Household {
    /// From this day on.
    pub from_on: Date,
    /// The others.
    pub members: Vec<Member>,
}

/// A set was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded(pub Household);

impl Household {
    /// Adults, the client included, and children on a day. The client counts by the own age.
    pub fn count(&self, client: Life, on: Date) -> (i32, i32) {
        let ages = self.members.iter().map(|m| age(m.birth_date, on)).chain([client.age(on)]);
        ages.fold(
            (0, 0),
            |(adults, children), age| if age >= 18 { (adults + 1, children) } else { (adults, children + 1) },
        )
    }
}

/// The set that holds on a day; `sets` in the order in which they were recorded, so that a correction of the same day counts.
pub fn on_day(sets: &[Household], day: Date) -> Option<&Household> {
    sets.iter().filter(|set| set.from_on <= day).max_by_key(|set| set.from_on)
}

/// Records a set.
pub fn record(sets: &[Household], new: Household, client: Life, now: Moment) -> Result<Vec<Recorded>, Refusal> {
    client.check_alive()?;
    if new.members.len() > 20 {
        return Err(HOUSEHOLD_TOO_LARGE.field("members", "has more than 20 persons", "heeft meer dan 20 personen"));
    }
    check_span("from_on", new.from_on, plus_days(now.date, -366), now.date)?;
    let later = new.members.iter().enumerate().filter(|(_, m)| m.birth_date > new.from_on);
    let refusal = later.fold(Refusal::from(&HOUSEHOLD_MEMBER_BORN_LATER).with("from_on", new.from_on), |r, (i, _)| {
        r.field(format!("members[{i}].birth_date"), "lies after from_on", "ligt na from_on")
    });
    if !refusal.fields.is_empty() {
        return Err(refusal);
    }
    match on_day(sets, new.from_on) {
        // Recorded again, or nothing changed on that day.
        Some(set) if set.members == new.members => Ok(vec![]),
        _ => Ok(vec![Recorded(new)]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::tests::client;
    use super::super::samples::now;
    use super::*;
    use jiff::civil::date;

    fn child(born: Date) -> Member {
        Member { role: MemberRole::Child, birth_date: born, client_id: None, custody: true }
    }

    /// R-ACC-28
    #[test]
    fn a_household_is_a_dated_set_and_the_last_word_on_a_day_counts() {
        let set = |day, members: &[Member]| Household { from_on: date(2018, 2, day), members: members.to_vec() };
        let (one, two) = (child(date(2012, 1, 1)), child(date(2018, 2, 10)));
        let sets = [set(1, &[]), set(10, std::slice::from_ref(&one)), set(10, &[one.clone(), two.clone()])];
        assert_eq!(on_day(&sets, date(2018, 1, 31)), None);
        assert_eq!(on_day(&sets, date(2018, 2, 9)).unwrap().members.len(), 0);
        assert_eq!(on_day(&sets, date(2018, 2, 28)).unwrap().count(client().life(), date(2018, 2, 28)), (1, 2));
        assert_eq!(record(&sets, set(12, &[one.clone(), two.clone()]), client().life(), now()), Ok(vec![]));
        assert_eq!(record(&sets, set(12, &[one]), client().life(), now()).unwrap().len(), 1);
        let early = record(&sets, set(9, &[two]), client().life(), now()).unwrap_err();
        assert_eq!(
            (early.reason.code, early.fields[0].path.as_str()),
            ("HOUSEHOLD_MEMBER_BORN_LATER", "members[0].birth_date")
        );
        let crowd = vec![child(date(2012, 1, 1)); 21];
        assert_eq!(record(&[], set(1, &crowd), client().life(), now()).unwrap_err().reason.code, "HOUSEHOLD_TOO_LARGE");
    }
}
