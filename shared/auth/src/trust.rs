//! Whom we trust, and for what: which issuers there are, with which keys, and for whom each may speak. Default deny.

use crate::jose::Algorithm;
use crate::why::{self, Why};
use crate::{AUDIENCE, DEVELOPMENT_ISSUER, Issuer, Keys};
use kernel::{Actor, ClientId, Organisation, Role};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a token may live that comes from the one issuer of [`Trust::in_one`].
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long a token of the development issuer may live.
const MONTH: Duration = Duration::from_secs(31 * 24 * 3600);
/// How long a token of the services' own may live.
const HOUR: Duration = Duration::from_secs(3600);
/// Names in claims are at most this long.
const NAME_BYTES: usize = 200;

/// One issuer, and what its tokens are believed in.
#[derive(Clone, Debug)]
pub struct Trust {
    pub(crate) name: Arc<str>,
    pub(crate) audience: String,
    pub(crate) algorithms: Vec<Algorithm>,
    /// In lower case.
    pub(crate) types: Vec<String>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) longest: Duration,
    /// Whether only tokens count that are bound to a client certificate.
    pub(crate) certificate_bound: bool,
    claims: ClaimNames,
    may: May,
}

/// Where an issuer writes what.
#[derive(Clone, Debug)]
struct ClaimNames {
    roles: String,
    organisation: Option<String>,
    client: Option<String>,
}

/// For whom an issuer speaks.
#[derive(Clone, Debug)]
enum May {
    /// For the whole chain: every role in every organisation.
    Everything,
    Only {
        /// By the name that the issuer gives the organisation.
        organisations: BTreeMap<String, (Organisation, BTreeSet<Role>)>,
        /// The issuer's names for roles, where they differ from ours.
        role_names: BTreeMap<String, Role>,
        /// Roles of the issuer's that mean nothing here.
        ignored: BTreeSet<String>,
    },
}

impl Trust {
    /// A single issuer that speaks for the whole chain: that of development, or of a chain with one issuer for everything.
    pub fn in_one(keys: Keys, name: &str) -> Self {
        Self {
            name: name.into(),
            audience: AUDIENCE.to_owned(),
            algorithms: vec![Algorithm::EdDsa],
            types: vec!["jwt".to_owned(), "at+jwt".to_owned()],
            keys: Arc::new(keys),
            longest: if name == DEVELOPMENT_ISSUER { MONTH } else { DAY },
            certificate_bound: false,
            claims: ClaimNames {
                roles: "roles".to_owned(),
                organisation: Some("org".to_owned()),
                client: Some("client_id".to_owned()),
            },
            may: May::Everything,
        }
    }

    /// A service of the chain, with a key of its own: it speaks for itself, and for nobody else.
    fn in_service(keys: Keys, name: &str, audience: &str, role: Role) -> Self {
        let code = role.as_str().replace('_', "-");
        let itself = Organisation::parse("code", &code).map(|itself| (code, (itself, BTreeSet::from([role]))));
        let may = May::Only {
            organisations: itself.into_iter().collect(),
            role_names: BTreeMap::new(),
            ignored: BTreeSet::new(),
        };
        let mut trust = Self::in_one(keys, name);
        trust.audience = audience.to_owned();
        trust.types = vec!["jwt".to_owned()];
        trust.longest = HOUR;
        trust.claims.client = None;
        trust.may = may;
        trust
    }

    /// Who asks, by the claims of a token that was verified.
    pub(crate) fn actor(&self, claims: &Map<String, Value>) -> Result<Actor, Why> {
        let subject = plain(claims.get("sub")).ok_or(why::SUBJECT)?;
        let (organisation, allowed) = self.organisation(claims)?;
        let roles = self.roles(claims, allowed)?;
        let client_id = match self.claims.client.as_deref().and_then(|name| find(claims, name)) {
            None | Some(Value::Null) => None,
            Some(id) => {
                let id = id.as_str().and_then(|id| ClientId::parse("client_id", id).ok());
                Some(id.ok_or(why::CLIENT)?)
            }
        };
        // In a token of another issuer than our own, client_id names a program unless it is configured to name a client.
        if roles.contains(&Role::Client) != client_id.is_some() || (client_id.is_some() && roles.len() > 1) {
            return Err(why::CLIENT);
        }
        let on_behalf_of = match claims.get("act") {
            None | Some(Value::Null) => None,
            Some(act) if roles.iter().all(|role| is_service(*role)) => Some(plain(Some(act)).ok_or(why::BEHALF)?),
            Some(_) => return Err(why::BEHALF),
        };
        Ok(Actor { subject, organisation, roles, on_behalf_of, client_id })
    }

    /// The organisation that a token names, and the roles that may be given there; `None` for all.
    fn organisation(&self, claims: &Map<String, Value>) -> Result<(Organisation, Option<&BTreeSet<Role>>), Why> {
        let named = self.claims.organisation.as_deref().map(|name| find(claims, name).and_then(Value::as_str));
        match (&self.may, named) {
            (May::Everything, Some(Some(code))) => {
                Ok((Organisation::parse("org", code).map_err(|_| why::ORGANISATION)?, None))
            }
            (May::Only { organisations, .. }, Some(Some(name))) => {
                let (organisation, roles) = organisations.get(name).ok_or(why::ORGANISATION)?;
                Ok((organisation.clone(), Some(roles)))
            }
            // An issuer that speaks for one organisation need not name it.
            (May::Only { organisations, .. }, None) => {
                let (organisation, roles) = organisations.values().next().ok_or(why::ORGANISATION)?;
                Ok((organisation.clone(), Some(roles)))
            }
            _ => Err(why::ORGANISATION),
        }
    }

    fn roles(&self, claims: &Map<String, Value>, allowed: Option<&BTreeSet<Role>>) -> Result<Vec<Role>, Why> {
        let named = find(claims, &self.claims.roles).and_then(Value::as_array).ok_or(why::NO_ROLE)?;
        let mut roles = Vec::new();
        for name in named {
            let name = name.as_str().ok_or(why::ROLE)?;
            let role = match &self.may {
                May::Everything => Role::from_key(name),
                May::Only { ignored, .. } if ignored.contains(name) => continue,
                May::Only { role_names, .. } if role_names.is_empty() => Role::from_key(name),
                May::Only { role_names, .. } => role_names.get(name).copied(),
            };
            // One role too many spoils the token: what its issuer may not say, it should not have said.
            let role = role.filter(|role| allowed.is_none_or(|allowed| allowed.contains(role))).ok_or(why::ROLE)?;
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        if roles.is_empty() { Err(why::NO_ROLE) } else { Ok(roles) }
    }
}

/// A claim by its name, or by a JSON pointer when it starts with a slash.
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let Some(path) = name.strip_prefix('/') else { return claims.get(name) };
    let mut steps = path.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
    let first = claims.get(&steps.next()?)?;
    steps.try_fold(first, |value, step| value.get(&step))
}

/// A text that may stand in a log: printable ASCII (OpenID Connect demands it of a subject), not empty, of bounded length.
pub(crate) fn plain(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    let plain = (1..=NAME_BYTES).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    plain.then(|| text.to_owned())
}

fn is_service(role: Role) -> bool {
    role.as_str().starts_with("svc_")
}

/// The issuers that an environment trusts, from a file of TOML (`deploy/README.md` says what it holds).
#[derive(Debug)]
pub struct Trusted {
    /// Every issuer, each service among them.
    pub issuers: Vec<Trust>,
    services: String,
    /// Whether the services' own tokens are bound to the certificates that they show each other.
    pub services_bound: bool,
    /// What the tokens of this environment are meant for.
    pub audience: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    audience: String,
    services: ServicesForm,
    #[serde(default)]
    issuer: Vec<IssuerForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServicesForm {
    name: String,
    /// By the name of the service.
    keys: BTreeMap<String, KeysForm>,
    #[serde(default)]
    certificate_bound: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysForm {
    file: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerForm {
    name: String,
    audience: Option<String>,
    keys: KeysForm,
    algorithms: Vec<String>,
    token_types: Vec<String>,
    max_minutes: u64,
    #[serde(default)]
    certificate_bound: bool,
    roles_claim: String,
    organisation_claim: Option<String>,
    client_claim: Option<String>,
    #[serde(default)]
    role_names: BTreeMap<String, String>,
    #[serde(default)]
    ignored_roles: BTreeSet<String>,
    #[serde(default)]
    organisation: Vec<OrganisationForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganisationForm {
    code: String,
    claim_value: Option<String>,
    roles: BTreeSet<String>,
}

/// Everything that is wrong with the trusted issuers, each with the field that it is in.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n  "))]
pub struct TrustError(pub Vec<String>);

impl Trusted {
    /// Reads the file at that path; key files are looked for beside it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, TrustError> {
        let path = path.as_ref();
        let text =
            std::fs::read_to_string(path).map_err(|error| TrustError(vec![format!("{}: {error}", path.display())]))?;
        Self::from_toml(&text, path.parent().unwrap_or(Path::new(".")))
    }

    /// Reads the text of the file; key files are looked for in the folder.
    pub fn from_toml(text: &str, folder: &Path) -> Result<Self, TrustError> {
        let form: FileForm = toml::from_str(text).map_err(|error| TrustError(vec![error.to_string()]))?;
        let mut faults = Faults(Vec::new());
        faults.name("audience", &form.audience);
        faults.name("services.name", &form.services.name);
        let services_bound = form.services.certificate_bound;
        let mut names = BTreeSet::from([form.services.name.clone()]);
        names.extend(form.services.keys.keys().map(|service| issuer_of(&form.services.name, service)));
        let mut issuers = faults.services(form.services.keys, &form.services.name, &form.audience, folder);
        for service in &mut issuers {
            service.certificate_bound = services_bound;
        }
        for (number, issuer) in (1..).zip(form.issuer) {
            if !names.insert(issuer.name.clone()) {
                faults.add(&format!("issuer {number}: name"), &format!("{:?} is there twice", issuer.name));
            }
            issuers.extend(faults.issuer(&format!("issuer {number}"), issuer, &form.audience, folder));
        }
        for name in names.iter().filter(|name| *name == DEVELOPMENT_ISSUER) {
            faults.add("name", &beside_development(name));
        }
        match faults.0.is_empty() {
            true => Ok(Self { issuers, services: form.services.name, services_bound, audience: form.audience }),
            false => Err(TrustError(faults.0)),
        }
    }

    /// The name under which a service signs its own tokens.
    pub fn issuer_of(&self, service: &str) -> String {
        issuer_of(&self.services, service)
    }

    /// Whether the key set of the service that signs under that name holds its key.
    pub fn knows(&self, issuer: &Issuer) -> bool {
        self.issuers.iter().any(|trust| *trust.name == *issuer.name() && trust.keys.holds(issuer))
    }
}

fn issuer_of(services: &str, service: &str) -> String {
    format!("{services}/{service}")
}

/// Why the development issuer cannot stand beside another, and what to do.
pub(crate) fn beside_development(name: &str) -> String {
    format!(
        "{name:?} is the development issuer: it prints a token for any role to whoever asks, so beside other issuers it \
         would make their tokens worthless. Take it out; to try things out, run it alone, with \
         DOORSTROOM_ISSUER={DEVELOPMENT_ISSUER} and DOORSTROOM_JWKS_FILE and without DOORSTROOM_ISSUERS_FILE"
    )
}

struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, field: &str, why: &str) {
        self.0.push(format!("{field}: {why}"));
    }

    fn name(&mut self, field: &str, name: &str) {
        if !(1..=NAME_BYTES).contains(&name.len()) || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            self.add(field, &format!("{name:?} is empty, too long or holds blanks"));
        }
    }

    fn keys(&mut self, field: &str, form: KeysForm, folder: &Path, algorithms: &[Algorithm]) -> Option<Keys> {
        let keys = match (form.file, form.url) {
            (Some(file), None) => Keys::from_file(folder.join(file)),
            (None, Some(url)) => Keys::from_url(&url),
            _ => {
                self.add(field, "name either a file or a url");
                return None;
            }
        };
        let keys = keys.map_err(|error| self.add(field, &error.to_string())).ok()?;
        if !keys.is_remote() && !keys.serves(algorithms) {
            self.add(field, "the file holds no key for the algorithms of this issuer");
        }
        Some(keys)
    }

    fn services(&mut self, forms: BTreeMap<String, KeysForm>, name: &str, audience: &str, folder: &Path) -> Vec<Trust> {
        if forms.is_empty() {
            self.add("services.keys", "name the keys of at least one service");
        }
        let mut services: Vec<(String, Trust)> = Vec::new();
        for (service, form) in forms {
            let field = format!("services.keys.{service}");
            let Some(role) = Role::from_key(&format!("svc_{service}")) else {
                self.add(&field, "there is no such service");
                continue;
            };
            if form.url.is_some() {
                self.add(&field, "a service's own keys are in a file");
            }
            let Some(keys) = self.keys(&field, form, folder, &[Algorithm::EdDsa]) else { continue };
            if let Some((other, _)) = services.iter().find(|(_, trust)| trust.keys.shares(&keys)) {
                self.add(&field, &format!("it holds a key of {other}; each service has keys of its own"));
            }
            let trust = Trust::in_service(keys, &issuer_of(name, &service), audience, role);
            services.push((service, trust));
        }
        services.into_iter().map(|(_, trust)| trust).collect()
    }

    fn issuer(&mut self, at: &str, form: IssuerForm, audience: &str, folder: &Path) -> Option<Trust> {
        let field = |name: &str| format!("{at}: {name}");
        self.name(&field("name"), &form.name);
        let audience = form.audience.clone().unwrap_or_else(|| audience.to_owned());
        self.name(&field("audience"), &audience);
        let algorithms: Vec<_> = form.algorithms.iter().filter_map(|name| Algorithm::from_name(name)).collect();
        if algorithms.is_empty() || algorithms.len() < form.algorithms.len() {
            let why = format!("{:?} is not a list of EdDSA, ES256 and RS256", form.algorithms);
            self.add(&field("algorithms"), &why);
        }
        let types: Vec<_> = form.token_types.iter().map(|name| name.to_lowercase()).collect();
        if types.is_empty() || !types.iter().all(|name| ["jwt", "at+jwt"].contains(&name.as_str())) {
            let why = format!("{:?} is not a list of JWT and at+jwt", form.token_types);
            self.add(&field("token_types"), &why);
        }
        if !(1..=24 * 60).contains(&form.max_minutes) {
            self.add(&field("max_minutes"), &format!("{} is not 1 to 1440", form.max_minutes));
        }
        let claims = [Some(("roles_claim", &form.roles_claim))].into_iter();
        let claims = claims.chain([form.organisation_claim.as_ref().map(|name| ("organisation_claim", name))]);
        for (name, claim) in claims.chain([form.client_claim.as_ref().map(|name| ("client_claim", name))]).flatten() {
            self.name(&field(name), claim);
        }
        let may = self.may(at, &form);
        let keys = self.keys(&field("keys"), form.keys, folder, &algorithms)?;
        Some(Trust {
            name: form.name.into(),
            audience,
            algorithms,
            types,
            keys: Arc::new(keys),
            longest: Duration::from_secs(form.max_minutes.saturating_mul(60)),
            certificate_bound: form.certificate_bound,
            claims: ClaimNames {
                roles: form.roles_claim,
                organisation: form.organisation_claim,
                client: form.client_claim,
            },
            may,
        })
    }

    fn may(&mut self, at: &str, form: &IssuerForm) -> May {
        let mut organisations = BTreeMap::new();
        let mut given = BTreeSet::new();
        for (number, one) in (1..).zip(&form.organisation) {
            let field = |name: &str| format!("{at}: organisation {number}: {name}");
            let mut roles = BTreeSet::new();
            for name in &one.roles {
                roles.extend(self.role(&field("roles"), name));
            }
            if roles.is_empty() {
                self.add(&field("roles"), "name at least one role");
            }
            given.extend(roles.iter().copied());
            match Organisation::parse("code", &one.code) {
                Err(_) => self.add(&field("code"), &format!("{:?} is no code of an organisation", one.code)),
                Ok(code) => {
                    let name = one.claim_value.clone().unwrap_or_else(|| one.code.clone());
                    if organisations.insert(name, (code, roles)).is_some() {
                        self.add(&field("claim_value"), "another organisation has the same");
                    }
                }
            }
        }
        match (form.organisation.len(), &form.organisation_claim) {
            (0, _) => self.add(&format!("{at}: organisation"), "name at least one that this issuer may speak for"),
            (2.., None) => {
                let why = "this issuer speaks for several organisations: say which claim tells them apart";
                self.add(&format!("{at}: organisation_claim"), why);
            }
            _ => {}
        }
        let mut role_names = BTreeMap::new();
        for (theirs, ours) in &form.role_names {
            let field = format!("{at}: role_names.{theirs:?}");
            match self.role(&field, ours) {
                Some(role) if !given.contains(&role) => {
                    self.add(&field, &format!("no organisation of this issuer has the role {ours:?}"));
                }
                role => role_names.extend(role.map(|role| (theirs.clone(), role))),
            }
            if form.ignored_roles.contains(theirs) {
                self.add(&format!("{at}: ignored_roles"), &format!("{theirs:?} is in role_names too"));
            }
        }
        if given.contains(&Role::Client) != form.client_claim.is_some() {
            let why = "the claim with the client's id and the role client go together";
            self.add(&format!("{at}: client_claim"), why);
        }
        May::Only { organisations, role_names, ignored: form.ignored_roles.clone() }
    }

    fn role(&mut self, field: &str, name: &str) -> Option<Role> {
        let role = Role::from_key(name);
        match role {
            None => self.add(field, &format!("{name:?} is no role of the chain")),
            Some(role) if is_service(role) => {
                self.add(field, &format!("{name:?} is a service's own: no issuer but the services' may give it"));
            }
            Some(_) => {}
        }
        role.filter(|role| !is_service(*role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
audience = "prod"
[services]
name = "https://services.example.nl"
keys = { regie = { file = "regie.json" }, access = { file = "keys.json" } }
[[issuer]]
name = "https://id.example.nl"
keys = { file = "keys.json" }
algorithms = ["EdDSA"]
token_types = ["JWT"]
max_minutes = 60
roles_claim = "roles"
organisation_claim = "org"
organisation = [{ code = "trivire", roles = ["corporation"] }, { code = "gemeente-dordrecht", roles = ["regie"] }]
"#;

    fn read(text: &str) -> Result<Trusted, String> {
        let folder = tempfile::tempdir().unwrap();
        for name in ["keys.json", "regie.json"] {
            std::fs::write(folder.path().join(name), Issuer::generate("x").unwrap().jwks()).unwrap();
        }
        Trusted::from_toml(text, folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_field_that_is_wrong_is_named() {
        assert_eq!(read(GOOD).unwrap().issuers.len(), 3);
        for (from, to, named) in [
            ("audience = \"prod\"", "", "audience"),
            ("audience = \"prod\"", "audience = \"\"", "audience: "),
            ("audience = \"prod\"", "audience = \"a b\"", "audience: "),
            ("[services]\n", "[services]\nroles = 1\n", "roles"),
            ("https://id.example.nl", "https://services.example.nl", "issuer 1: name: "),
            ("https://id.example.nl", "doorstroom-dev", "\"doorstroom-dev\" is the development issuer"),
            ("https://services.example.nl", "doorstroom-dev", "\"doorstroom-dev\" is the development issuer"),
            ("keys = { file = \"keys.json\" }\na", "keys = {}\na", "issuer 1: keys: name either a file or a url"),
            ("keys = { file = \"keys.json\" }\na", "keys = { file = \"no.json\" }\na", "issuer 1: keys: "),
            ("keys = { file = \"keys.json\" }\na", "keys = { url = \"http://x.nl\" }\na", "is not https"),
            ("{ file = \"regie.json\" }", "{ url = \"https://x.nl\" }", "services.keys.regie: a service's own keys"),
            ("{ file = \"regie.json\" }", "{ file = \"keys.json\" }", "services.keys.regie: it holds a key of access"),
            ("regie =", "portal =", "services.keys.portal: there is no such service"),
            ("{ regie = { file = \"regie.json\" }, access = { file = \"keys.json\" } }", "{}", "at least one service"),
            ("[\"EdDSA\"]", "[\"HS256\"]", "issuer 1: algorithms: [\"HS256\"]"),
            ("[\"EdDSA\"]", "[\"EdDSA\", \"none\"]", "issuer 1: algorithms: "),
            ("[\"EdDSA\"]", "[]", "issuer 1: algorithms: "),
            ("[\"EdDSA\"]", "[\"RS256\"]", "no key for the algorithms"),
            ("[\"JWT\"]", "[\"id_token\"]", "issuer 1: token_types: "),
            ("max_minutes = 60", "max_minutes = 0", "issuer 1: max_minutes: 0"),
            ("max_minutes = 60", "max_minutes = 100000", "issuer 1: max_minutes: "),
            ("max_minutes = 60\n", "", "max_minutes"),
            ("roles_claim = \"roles\"", "roles_claim = \"\"", "issuer 1: roles_claim: "),
            ("organisation_claim = \"org\"\n", "", "issuer 1: organisation_claim: "),
            ("organisation_claim", "organization_claim", "organization_claim"),
            ("\"corporation\"", "\"landlord\"", "issuer 1: organisation 1: roles: \"landlord\""),
            ("\"corporation\"", "\"svc_regie\"", "issuer 1: organisation 1: roles: \"svc_regie\" is a service's own"),
            ("\"corporation\"", "", "issuer 1: organisation 1: roles: name at least one"),
            ("\"corporation\"", "\"client\"", "issuer 1: client_claim: "),
            ("\"trivire\"", "\"Tri Vire\"", "issuer 1: organisation 1: code: "),
            ("\"trivire\"", "\"gemeente-dordrecht\"", "issuer 1: organisation 2: claim_value: "),
            ("max_minutes", "role_names = { X = \"police\" }\nmax_minutes", "issuer 1: role_names.\"X\": "),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from}");
            let error = read(&text).expect_err(to);
            assert!(error.contains(named), "{named}: {error}");
        }
        let none = GOOD.split("organisation = [").next().unwrap();
        assert!(read(none).unwrap_err().contains("issuer 1: organisation: name at least one"));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let text = GOOD.replace("EdDSA", "HS256").replace("JWT", "x").replace("60", "0").replace("regie", "root");
        let error = read(&text).unwrap_err();
        for field in ["algorithms", "token_types", "max_minutes", "organisation 2: roles"] {
            assert!(error.contains(&format!("issuer 1: {field}")), "{error}");
        }
    }
}
