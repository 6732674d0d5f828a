//! The policy table: role x RPC x relation, default deny. One line per RPC; what has no line is refused to everybody.

use kernel::{Actor, Refusal, Role, general};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// How the caller must stand to the thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// The role suffices.
    Any,
    /// An active relation between the caller's organisation (for a case holder: the person) and the client.
    Caseload,
    /// The thing belongs to the caller's organisation.
    Own,
    /// The client's own.
    OwnSelf,
}

impl Relation {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Caseload => "caseload",
            Self::Own => "own",
            Self::OwnSelf => "self",
        }
    }

    fn from_key(key: &str) -> Option<Self> {
        [Self::Any, Self::Caseload, Self::Own, Self::OwnSelf].into_iter().find(|r| r.as_str() == key)
    }
}

/// One way in which a caller may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    /// The role that gives it.
    pub role: Role,
    /// The relation that it asks.
    pub relation: Relation,
}

/// How a caller stands to a client and to a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The thing belongs to the caller's organisation.
    pub owner: bool,
    /// The caller is the client.
    pub client: bool,
    /// The caller's organisation as a whole has an active relation with the client.
    pub organisation: bool,
    /// The caller has one in person.
    pub person: bool,
    /// The caller has emergency access in person, in this role, and only looks (R-REG-20).
    pub emergency: Option<Role>,
}

impl Standing {
    /// As it stands in the access log.
    pub fn words(&self) -> String {
        let known = [
            ("owner", self.owner),
            ("client", self.client),
            ("organisation", self.organisation),
            ("person", self.person),
        ];
        let mut words: Vec<String> =
            known.iter().filter(|(_, holds)| *holds).map(|(word, _)| (*word).to_owned()).collect();
        words.extend(self.emergency.map(|role| format!("emergency:{role}")));
        words.join(",")
    }

    /// Reads it back; none when it is no such text.
    pub fn from_words(words: &str) -> Option<Self> {
        let mut standing = Self::default();
        for word in words.split(',').filter(|word| !word.is_empty()) {
            match word {
                "owner" => standing.owner = true,
                "client" => standing.client = true,
                "organisation" => standing.organisation = true,
                "person" => standing.person = true,
                _ => standing.emergency = Some(Role::from_key(word.strip_prefix("emergency:")?)?),
            }
        }
        Some(standing)
    }

    /// With what is known from elsewhere in the same call.
    pub fn and(self, other: Self) -> Self {
        Self {
            owner: self.owner || other.owner,
            client: self.client || other.client,
            organisation: self.organisation || other.organisation,
            person: self.person || other.person,
            emergency: self.emergency.or(other.emergency),
        }
    }
}

impl Grant {
    /// Whether this way is open to who stands so. A case holder has to do with a client as a person (R-ACC-13). Emergency
    /// access stands in for a relation, in the one role that it was opened in: it widens no line of the table.
    pub fn holds(&self, standing: &Standing) -> bool {
        match self.relation {
            Relation::Any => true,
            Relation::Own => standing.owner,
            Relation::OwnSelf => standing.client,
            Relation::Caseload if standing.emergency == Some(self.role) => true,
            Relation::Caseload if self.role == Role::Caseholder => standing.person,
            Relation::Caseload => standing.organisation,
        }
    }
}

/// The line of one RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    grants: Vec<Grant>,
}

impl Rule {
    /// Every way in which somebody may pass.
    pub fn all(&self) -> &[Grant] {
        &self.grants
    }

    /// The ways in which this actor may pass: any one of them suffices; none is a refusal.
    pub fn grants(&self, actor: &Actor) -> Vec<Grant> {
        self.grants.iter().filter(|grant| actor.is(grant.role)).copied().collect()
    }

    /// The roles on the line.
    pub fn roles(&self) -> BTreeSet<Role> {
        self.grants.iter().map(|grant| grant.role).collect()
    }
}

/// Why a policy file is refused. It is refused as a whole: half a table is no table.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// It is no TOML.
    #[error("the policy file {0} cannot be read")]
    Unreadable(String, #[source] toml::de::Error),
    /// A line is not understood.
    #[error("the policy file {file}: {method}: {why}")]
    Line {
        /// Which file.
        file: String,
        /// Which line, as `Service/Method`.
        method: String,
        /// What is wrong.
        why: String,
    },
}

/// The whole table.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    rules: BTreeMap<String, Rule>,
}

/// The files that are compiled in.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("access", include_str!("../policy/access.toml")),
    ("housing", include_str!("../policy/housing.toml")),
    ("income", include_str!("../policy/income.toml")),
    ("aftercare", include_str!("../policy/aftercare.toml")),
    ("regie", include_str!("../policy/regie.toml")),
    ("monitor", include_str!("../policy/monitor.toml")),
    ("shared", include_str!("../policy/shared.toml")),
];

type File = BTreeMap<String, BTreeMap<String, BTreeMap<String, Words>>>;

/// `"own"`, or a list of which any one suffices.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Several(Vec<String>),
}

impl Policy {
    /// The table that is compiled in.
    pub fn embedded() -> &'static Self {
        // The files are part of the program; a test reads them.
        static TABLE: LazyLock<Policy> =
            LazyLock::new(|| Policy::parse(FILES).unwrap_or_else(|error| panic!("{error}")));
        &TABLE
    }

    /// Reads named policy files into one table.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, PolicyFileError> {
        let mut rules = BTreeMap::new();
        for (name, text) in files {
            let file: File = toml::from_str(text).map_err(|e| PolicyFileError::Unreadable((*name).to_owned(), e))?;
            for (service, methods) in file {
                for (method, words) in methods {
                    let method = format!("{service}/{method}");
                    let wrong =
                        |why: String| PolicyFileError::Line { file: (*name).to_owned(), method: method.clone(), why };
                    let rule = rule(words).map_err(wrong)?;
                    if rules.insert(method.clone(), rule).is_some() {
                        return Err(wrong("another file has this line too".to_owned()));
                    }
                }
            }
        }
        Ok(Self { rules })
    }

    /// The line of an RPC, given as `HousingService/OfferDwelling` or as the full path of the call.
    pub fn rule(&self, method: &str) -> Option<&Rule> {
        self.rules.get(short(method))
    }

    /// The ways in which an actor may call an RPC; refuses when there is none.
    pub fn grants(&self, method: &str, actor: &Actor) -> Result<Vec<Grant>, Refusal> {
        let rule = self.rule(method);
        let grants = rule.map(|rule| rule.grants(actor)).unwrap_or_default();
        if !grants.is_empty() {
            return Ok(grants);
        }
        let allowed: Vec<_> = rule.map(Rule::roles).unwrap_or_default().into_iter().map(Role::as_str).collect();
        let allowed = if allowed.is_empty() { "nobody".to_owned() } else { allowed.join(", ") };
        Err(general::ROLE_NOT_ALLOWED.with("rpc", short(method)).with("allowed", allowed))
    }

    /// Every line, by method.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.rules.iter().map(|(method, rule)| (method.as_str(), rule))
    }

    /// Whether every RPC has a line and every line an RPC; else what is wrong, all at once.
    pub fn check<'a>(&self, methods: impl Iterator<Item = &'a str>) -> Result<(), Vec<String>> {
        let methods: BTreeSet<&str> = methods.map(short).collect();
        let missing = methods.iter().filter(|m| !self.rules.contains_key(**m)).map(|m| format!("{m} has no line"));
        let unknown = self.rules.keys().filter(|m| !methods.contains(m.as_str())).map(|m| format!("{m} is no RPC"));
        let wrong: Vec<_> = missing.chain(unknown).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

fn rule(words: BTreeMap<String, Words>) -> Result<Rule, String> {
    let mut grants = Vec::new();
    for (role, relations) in words {
        let role = Role::from_key(&role).ok_or_else(|| format!("{role:?} is no role"))?;
        let relations = match relations {
            Words::One(word) => vec![word],
            Words::Several(words) => words,
        };
        if relations.is_empty() {
            return Err(format!("{role} has no relation"));
        }
        for word in relations {
            let relation = Relation::from_key(&word).ok_or_else(|| format!("{word:?} is no relation"))?;
            grants.push(Grant { role, relation });
        }
    }
    if grants.is_empty() {
        return Err("the line names nobody".to_owned());
    }
    grants.sort();
    Ok(Rule { grants })
}

/// `/doorstroom.housing.v1.HousingService/OfferDwelling` as `HousingService/OfferDwelling`.
pub(crate) fn short(method: &str) -> &str {
    let method = method.strip_prefix('/').unwrap_or(method);
    let service_ends = method.find('/').unwrap_or(method.len());
    match method[..service_ends].rfind('.') {
        Some(dot) => &method[dot + 1..],
        None => method,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Organisation;
    use proptest::prelude::*;

    const FILE: &str = r#"
        [HousingService]
        OfferDwelling = { regie = "any" }
        AcceptOffer = { client = "self", shelter = ["own", "caseload"] }
    "#;

    fn actor(roles: &[Role]) -> Actor {
        Actor {
            subject: "somebody".to_owned(),
            organisation: Organisation::parse("org", "some-org").unwrap(),
            roles: roles.to_vec(),
            on_behalf_of: None,
            client_id: None,
        }
    }

    /// R-REG-13
    #[test]
    fn a_line_gives_its_roles_their_relations_and_nobody_else_anything() {
        let policy = Policy::parse(&[("housing", FILE)]).unwrap();
        let rule = policy.rule("/doorstroom.housing.v1.HousingService/AcceptOffer").unwrap();
        let shelter = rule.grants(&actor(&[Role::Shelter]));
        assert_eq!(shelter.iter().map(|g| g.relation).collect::<Vec<_>>(), [Relation::Caseload, Relation::Own]);
        assert!(rule.grants(&actor(&[Role::Corporation])).is_empty());
        let refusal = policy.grants("HousingService/OfferDwelling", &actor(&[Role::Corporation])).unwrap_err();
        assert_eq!(refusal.reason.code, "ROLE_NOT_ALLOWED");
        assert_eq!(refusal.way_out(), "Allowed are: regie.");
    }

    #[test]
    fn a_table_that_is_not_understood_is_refused_as_a_whole() {
        for (from, to) in [
            ("regie =", "boss ="),
            ("\"any\"", "\"some\""),
            ("{ regie = \"any\" }", "{}"),
            ("[\"own\", \"caseload\"]", "[]"),
            ("{ regie = \"any\" }", "\"regie\""),
        ] {
            assert!(Policy::parse(&[("housing", &FILE.replace(from, to))]).is_err(), "{to}");
        }
        assert!(Policy::parse(&[("a", FILE), ("b", FILE)]).is_err());
    }

    #[test]
    fn every_rpc_has_one_line_and_every_line_an_rpc() {
        let policy = Policy::parse(&[("housing", FILE)]).unwrap();
        let both = ["doorstroom.housing.v1.HousingService/OfferDwelling", "HousingService/AcceptOffer"];
        assert_eq!(policy.check(both.into_iter()), Ok(()));
        let wrong = policy.check(["HousingService/OfferDwelling", "HousingService/EndLease"].into_iter()).unwrap_err();
        assert_eq!(wrong, ["HousingService/EndLease has no line", "HousingService/AcceptOffer is no RPC"]);
    }

    #[test]
    fn a_standing_is_read_back_as_it_was_written() {
        for n in 0..32 {
            let is = |bit: u32| n >> bit & 1 == 1;
            let emergency = is(4).then_some(Role::Vo);
            let standing = Standing { owner: is(0), client: is(1), organisation: is(2), person: is(3), emergency };
            assert_eq!(Standing::from_words(&standing.words()), Some(standing));
        }
        assert_eq!(Standing::from_words("emergency:nobody"), None);
        assert_eq!(Standing::from_words("everything"), None);
    }

    /// R-REG-20: in the one role in which it was opened, where the line asks for a relation with the client; nothing else.
    #[test]
    fn emergency_access_stands_in_for_a_relation_in_one_role_and_widens_no_line() {
        let relations = [Relation::Any, Relation::Caseload, Relation::Own, Relation::OwnSelf];
        let (nobody, whole) = (Standing::default(), Policy::embedded());
        for emergency in Role::ALL {
            let standing = Standing { emergency: Some(*emergency), ..nobody };
            for role in Role::ALL {
                for relation in relations {
                    let grant = Grant { role: *role, relation };
                    let opened = relation == Relation::Caseload && role == emergency;
                    assert_eq!(grant.holds(&standing), opened || grant.holds(&nobody), "{grant:?} by {emergency}");
                }
            }
        }
        // Over the whole table: what it opens is open to that role with a relation.
        for (rpc, rule) in whole.lines() {
            for grant in rule.all() {
                let standing = Standing { emergency: Some(grant.role), ..nobody };
                let related = Standing { organisation: true, person: true, ..nobody };
                assert!(!grant.holds(&standing) || grant.holds(&related), "{rpc}: {grant:?}");
            }
        }
    }

    #[test]
    fn the_table_that_is_compiled_in_is_readable() {
        let policy = Policy::embedded();
        assert!(policy.rule("FeedService/Subscribe").is_some());
        assert_eq!(policy.rule("AuditService/ListAccess").unwrap().all().len(), 2);
    }

    proptest! {
        /// Default deny: whoever passes, passes by a line; take that line out and nobody does.
        #[test]
        fn a_line_that_is_taken_out_denies_everybody(line in 0usize..1000, roles in proptest::sample::subsequence(Role::ALL.to_vec(), 1..6)) {
            let whole = Policy::embedded();
            let mut without = whole.clone();
            let method = whole.rules.keys().nth(line % whole.rules.len()).unwrap().clone();
            without.rules.remove(&method);
            let actor = actor(&roles);
            prop_assert!(without.grants(&method, &actor).is_err());
            let expected = roles.iter().any(|role| whole.rules[&method].roles().contains(role));
            prop_assert_eq!(whole.grants(&method, &actor).is_ok(), expected);
            for (other, rule) in without.lines() {
                prop_assert_eq!(Some(rule), whole.rule(other));
            }
        }
    }
}
