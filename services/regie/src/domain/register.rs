//! The register: organisations, the roles in which they work, their municipalities and districts, and who is on duty.
//!
//! Data from a file (`register.toml` is the built-in one); checked once when it is read.

use super::process;
use super::relation::ORGANISATION_UNKNOWN;
use kernel::{District, Moment, Municipality, Organisation, Refusal, Role};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The number that comes first in a crisis (R-REG-30).
    pub emergency_number: String,
    /// The organisations.
    pub organisation: Vec<Entry>,
    /// Who is on duty.
    #[serde(default)]
    pub duty: Vec<Duty>,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its code, as in tokens.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The roles in which it works, as in tokens.
    pub roles: Vec<String>,
    /// The municipalities in which it works.
    pub municipalities: Vec<String>,
    /// The districts of a district team (WK and six digits).
    #[serde(default)]
    pub districts: Vec<String>,
}

/// Who answers the telephone in a municipality during some hours.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// Four digits.
    pub municipality: String,
    /// Who answers.
    pub name: String,
    /// The number.
    pub telephone: String,
    /// The organisation that is on duty; a task for tonight is put on its list.
    pub organisation: String,
    /// The first hour (0 to 23, Amsterdam).
    pub from_hour: i8,
    /// The hour before which the duty ends (1 to 24); at or before `from_hour` it runs past midnight.
    pub to_hour: i8,
}

/// What is wrong with a register file: the entry and what about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterError(String);

impl std::fmt::Display for RegisterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the register of organisations: {}", self.0)
    }
}

impl std::error::Error for RegisterError {}

/// An organisation, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partner {
    /// Its name.
    pub name: String,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Its municipalities.
    pub municipalities: Vec<Municipality>,
    /// Its districts.
    pub districts: Vec<District>,
}

/// The register, checked.
#[derive(Clone, Debug)]
pub struct Register {
    /// Who is regie where nobody else is, and of which municipality.
    home: (Organisation, Municipality),
    partners: BTreeMap<Organisation, Partner>,
    duty: Vec<(Municipality, Organisation, Duty)>,
    emergency_number: String,
}

impl Register {
    /// Checks a file: every code is one, every role exists, no organisation or district stands in it twice, and every
    /// municipality has somebody for regie.
    pub fn try_new(file: File) -> Result<Self, RegisterError> {
        let wrong = |entry: &str, what: &str| RegisterError(format!("{entry}: {what}"));
        let mut partners = BTreeMap::new();
        let mut districts = BTreeMap::new();
        for entry in file.organisation {
            let Entry { code, name, .. } = &entry;
            let organisation =
                Organisation::parse("code", code).map_err(|_| wrong(code, "not an organisation code"))?;
            let roles = entry
                .roles
                .iter()
                .map(|role| Role::from_key(role).ok_or_else(|| wrong(code, &format!("no role {role}"))))
                .collect::<Result<Vec<_>, _>>()?;
            let municipalities = entry
                .municipalities
                .iter()
                .map(|m| Municipality::parse("m", m).map_err(|_| wrong(code, &format!("no municipality {m}"))))
                .collect::<Result<Vec<_>, _>>()?;
            let own = entry
                .districts
                .iter()
                .map(|d| District::parse("d", d).map_err(|_| wrong(code, &format!("no district {d}"))))
                .collect::<Result<Vec<_>, _>>()?;
            for district in &own {
                if let Some(other) = districts.insert(district.clone(), organisation.clone()) {
                    return Err(wrong(code, &format!("{district} belongs to {other} already")));
                }
            }
            let partner = Partner { name: name.clone(), roles, municipalities, districts: own };
            if partners.insert(organisation, partner).is_some() {
                return Err(wrong(code, "stands in it twice"));
            }
        }
        let mut duty = Vec::new();
        for one in file.duty {
            let municipality = Municipality::parse("m", &one.municipality)
                .map_err(|_| wrong(&one.name, "has no municipality of four digits"))?;
            let organisation = Organisation::parse("o", &one.organisation)
                .ok()
                .filter(|o| partners.contains_key(o))
                .ok_or_else(|| wrong(&one.name, "is of no organisation of the register"))?;
            if !(0..=23).contains(&one.from_hour) || !(1..=24).contains(&one.to_hour) {
                return Err(wrong(&one.name, "has hours outside 0 to 24"));
            }
            duty.push((municipality, organisation, one));
        }
        let home = partners
            .iter()
            .find(|(_, p)| p.roles.contains(&Role::Regie))
            .and_then(|(organisation, p)| Some((organisation.clone(), p.municipalities.first()?.clone())))
            .ok_or_else(|| wrong("the file", "nobody is regie of any municipality"))?;
        let register = Self { home, partners, duty, emergency_number: file.emergency_number };
        for (organisation, partner) in &register.partners {
            for municipality in &partner.municipalities {
                if register.first(municipality, Role::Regie).is_none() {
                    return Err(wrong(organisation.as_str(), &format!("nobody is regie of {municipality}")));
                }
            }
        }
        Ok(register)
    }

    /// What the processes need of it: who does what where.
    pub fn for_processes(&self) -> process::Register {
        let mut register = process::Register::default();
        for (organisation, partner) in &self.partners {
            for municipality in &partner.municipalities {
                if partner.roles.contains(&Role::Access) {
                    register.access.entry(municipality.clone()).or_insert_with(|| organisation.clone());
                }
                if partner.roles.contains(&Role::Income) {
                    register.income.entry(municipality.clone()).or_insert_with(|| organisation.clone());
                }
            }
            for district in &partner.districts {
                register.teams.insert(district.clone(), organisation.clone());
            }
        }
        register
    }

    /// Every organisation, by code.
    pub fn partners(&self) -> impl Iterator<Item = (&Organisation, &Partner)> {
        self.partners.iter()
    }

    /// Refuses an organisation that is not in the register (R-REG-14).
    pub fn known(&self, organisation: &Organisation) -> Result<(), Refusal> {
        match self.partners.contains_key(organisation) {
            true => Ok(()),
            false => Err(ORGANISATION_UNKNOWN.with("organisation", organisation)),
        }
    }

    /// Whether an organisation works in a role.
    pub fn in_role(&self, organisation: &Organisation, role: Role) -> bool {
        self.partners.get(organisation).is_some_and(|p| p.roles.contains(&role))
    }

    /// The first organisation, by code, that works in a role in a municipality.
    pub fn first(&self, municipality: &Municipality, role: Role) -> Option<&Organisation> {
        self.partners
            .iter()
            .find(|(_, p)| p.municipalities.contains(municipality) && p.roles.contains(&role))
            .map(|(organisation, _)| organisation)
    }

    /// Who is regie of a municipality; where nobody is, whoever is regie of the home municipality.
    pub fn regie_of(&self, municipality: &Municipality) -> &Organisation {
        self.first(municipality, Role::Regie).unwrap_or(&self.home.0)
    }

    /// The municipality that this register is of.
    pub fn home(&self) -> &Municipality {
        &self.home.1
    }

    /// The name of an organisation; its code when the register does not know it any more.
    pub fn name<'a>(&'a self, organisation: &'a Organisation) -> &'a str {
        self.partners.get(organisation).map_or(organisation.as_str(), |partner| &partner.name)
    }

    /// The first role, in the order of the file, in which an organisation works.
    pub fn main_role(&self, organisation: &Organisation) -> Option<Role> {
        self.partners.get(organisation).and_then(|p| p.roles.first().copied())
    }

    /// The number that comes first in a crisis (R-REG-30).
    pub fn emergency_number(&self) -> &str {
        &self.emergency_number
    }

    /// Who is on duty in a municipality at that hour (R-REG-30).
    pub fn on_duty(&self, municipality: &Municipality, now: Moment) -> impl Iterator<Item = (&Organisation, &Duty)> {
        let hour = hour_of(now);
        self.duty
            .iter()
            .filter(move |(of, _, duty)| of == municipality && covers(duty, hour))
            .map(|(_, organisation, duty)| (organisation, duty))
    }
}

/// The hour on the wall in Amsterdam (0 to 23).
fn hour_of(now: Moment) -> i8 {
    (0..24).rev().find(|hour| Moment::at_hour(now.date, *hour).at <= now.at).unwrap_or(0)
}

fn covers(duty: &Duty, hour: i8) -> bool {
    if duty.from_hour < duty.to_hour {
        (duty.from_hour..duty.to_hour).contains(&hour)
    } else {
        hour >= duty.from_hour || hour < duty.to_hour
    }
}

#[cfg(test)]
impl Register {
    /// The built-in register.
    pub fn sample() -> Self {
        Self::try_new(toml::from_str(crate::REGISTER).unwrap()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn dordrecht() -> Municipality {
        Municipality::parse("m", "0505").unwrap()
    }

    /// R-REG-30
    #[test]
    fn there_is_somebody_on_duty_at_every_hour() {
        let register = Register::sample();
        for hour in 0..24 {
            let now = Moment::at_hour(date(2026, 3, 2), hour);
            assert_eq!(hour_of(now), hour);
            assert_eq!(register.on_duty(&dordrecht(), now).count(), 1, "{hour}");
        }
        assert_eq!(register.emergency_number(), "112");
    }

    /// R-REG-01
    #[test]
    fn every_municipality_and_district_has_somebody() {
        let register = Register::sample();
        assert_eq!(register.regie_of(&dordrecht()).as_str(), "gemeente-dordrecht");
        let processes = register.for_processes();
        assert_eq!(processes.access[&dordrecht()].as_str(), "gemeente-dordrecht");
        assert_eq!(processes.income[&dordrecht()].as_str(), "sociale-dienst");
        assert_eq!(processes.teams.len(), 10);
    }

    #[test]
    fn a_register_that_contradicts_itself_is_refused() {
        let text = crate::REGISTER;
        let bad = [
            text.replace("code = \"trivire\"", "code = \"woonbron\""),
            text.replace("\"corporation\"", "\"landlord\""),
            text.replace("\"regie\"", "\"access\""),
            text.replace("WK050507", "WK050501"),
            text.replace("\"0505\"", "\"505\""),
        ];
        for text in bad {
            assert!(Register::try_new(toml::from_str(&text).unwrap()).is_err());
        }
    }
}
