//! The client's right to everything that is held on them (R-REG-21): for machines as JSON with the names of the columns, for
//! people as Dutch text.
//!
//! A service says of each of its tables what of it is about a client ([`Held`]) or why nothing of it is ([`NotHeld`]); a test
//! compares that with its migrations, so that what is added later is not forgotten. What is withheld from the client is named
//! with its ground (R-REG-27).

use crate::{About, Page, Result, Tx, codes, words};
use auth::Purposes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::{ClientId, Date, Role};
use proto::audit::v1::DataCategory;
use proto::rights::v1::{ExportPart, ExportWithheld, WithheldGround};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use store::{Error, Opened, Retention, Row, args};

/// Rows are given in parts of at most this many.
const ROWS: i64 = 100;

/// How a column is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, code, id or date.
    Text,
    /// A whole number.
    Number,
    /// Yes or no.
    Flag,
    /// An instant.
    Moment,
    /// A nested value as JSON text.
    Json,
    /// Sealed; how is said beside.
    Sealed,
}

/// How a sealed column is opened.
#[derive(Clone, Copy, Debug)]
pub struct Seal {
    /// The column.
    pub column: &'static str,
    /// Its class; none when the column `class` of the row says so.
    pub class: Option<Retention>,
    /// What it is bound to: the column by its full name,
    pub place: &'static str,
    /// and the columns that name the row.
    pub row: &'static [&'static str],
    /// Names inside it that are withheld, because they are about somebody else.
    pub without: &'static [&'static str],
}

/// What of a table is about a client.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The table: the name of this part of the export.
    pub table: &'static str,
    /// What it is, in Dutch.
    pub title: &'static str,
    /// Its rows about the client `$1`, in a fixed order, `$2` of them from `$3` on.
    pub sql: &'static str,
    /// The columns that it gives.
    pub columns: &'static [(&'static str, Kind)],
    /// How those that are sealed are opened.
    pub seals: &'static [Seal],
    /// The columns that are withheld.
    pub withheld: &'static [(&'static str, WithheldGround)],
}

/// Why nothing of a table is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotHeld {
    /// It is about no client.
    Nobody,
    /// It repeats what is given of other tables, for the machine.
    Copy,
    /// It would tell of somebody from whom the client is kept apart (R-REG-27, R-REG-28).
    Apart,
}

/// Writes a [`Held`]: table, title, the end of its query, its columns by kind.
#[macro_export]
macro_rules! held {
    ($table:ident, $title:literal, $rest:literal, { $($kind:ident: $($column:ident),+;)+ }
     $(, seals: $seals:expr)? $(, withheld: $withheld:expr)?) => {
        $crate::Held {
            table: stringify!($table),
            title: $title,
            sql: concat!(
                "select ", $($("t.", stringify!($column), ", ",)+)+ "1 as one from ", stringify!($table), " t ", $rest,
                " limit $2 offset $3"
            ),
            columns: &[$($((stringify!($column), $crate::Kind::$kind),)+)+],
            ..$crate::Held::NOTHING
        }
        $(.opened_by($seals))?
        $(.without($withheld))?
    };
}

impl Held {
    /// What a table that says nothing else has.
    pub const NOTHING: Held = Held { table: "", title: "", sql: "", columns: &[], seals: &[], withheld: &[] };

    /// How its sealed columns are opened.
    pub const fn opened_by(self, seals: &'static [Seal]) -> Self {
        Self { seals, ..self }
    }

    /// Which columns are withheld.
    pub const fn without(self, withheld: &'static [(&'static str, WithheldGround)]) -> Self {
        Self { withheld, ..self }
    }
}

/// What every service holds on a client beside its own tables.
pub const SHARED: &[Held] = &[
    held!(relation, "Wie met u te maken heeft of had", "where t.client_id = $1 order by t.granted_at, t.relation_id", {
        Text: relation_id, client_id, organisation, kind;
        Moment: granted_at, ended_at;
    }, withheld: &[("person", WithheldGround::Staff)]),
    held!(access_log, "Wie in uw gegevens keek of ze veranderde",
        "where t.client_id = $1 and t.rpc not like 'RegieService/%Separation%' order by t.occurred_at, t.access_id", {
        Moment: occurred_at;
        Text: client_id, organisation, roles, rpc, purpose, legal_ground, categories, result, access_point, consents, emergency_id,
            protocol, standing;
    }, withheld: &[
        ("access_id", WithheldGround::Copy), ("subject", WithheldGround::Staff),
        ("on_behalf_of", WithheldGround::Staff), ("request_id", WithheldGround::Copy),
        ("trace_id", WithheldGround::Copy), ("position", WithheldGround::Copy),
    ]),
    held!(deadline, "Wat op een dag opnieuw wordt bekeken", "where t.client_id = $1 order by t.due_at, t.kind, t.subject", {
        Text: kind, subject, client_id;
        Moment: due_at;
    }),
    held!(feed_event, "Wat er over u aan de diensten van de keten is gemeld",
        "where t.client_id = $1 and t.type not like 'nl.doorstroom.regie.separation-%' order by t.recorded_at, t.event_id", {
        Text: event_id, type, client_id, occurred_on;
        Moment: recorded_at;
    }, withheld: &[
        ("position", WithheldGround::Copy), ("payload", WithheldGround::Copy), ("trace", WithheldGround::Copy),
    ]),
    held!(merged, "Dat dit dossier naar een ander dossier van u verwijst", "where t.client_id = $1 order by t.client_id", {
        Text: client_id, kept_client_id;
    }),
    held!(emergency_access, "Wie uw gegevens met noodtoegang kon lezen", "where t.client_id = $1 order by t.until_at, t.emergency_id", {
        Text: emergency_id, client_id, organisation, role;
        Moment: until_at, ended_at;
    }, withheld: &[("person", WithheldGround::Staff)]),
    held!(own_access, "Of u uw gegevens zelf mag lezen", "where t.client_id = $1 order by t.client_id", {
        Text: client_id, level;
    }),
    held!(representative, "Wie u wettelijk vertegenwoordigt", "where t.client_id = $1 order by t.granted_at, t.representative_id", {
        Text: representative_id, client_id, represented_by;
        Moment: granted_at, ended_at;
    }),
    held!(contact_through, "Via wie u te bereiken bent", "where t.client_id = $1 order by t.client_id", {
        Text: client_id, organisation;
    }),
];

/// That a client is shielded, for a service that keeps it.
pub const SHIELD: Held = held!(shield, "Uw verblijfplaats is geheim", "where t.client_id = $1 order by t.client_id", {
    Text: client_id;
});

/// Why nothing of the other shared tables is given.
pub const SHARED_NOT: &[(&str, NotHeld)] = &[
    ("feed_receiver", NotHeld::Copy),
    ("feed_subscription", NotHeld::Nobody),
    ("feed_epoch", NotHeld::Nobody),
    ("inbox", NotHeld::Nobody),
    // Answers of changes carry ids and states of what is given elsewhere.
    ("answered_call", NotHeld::Copy),
    ("access_link", NotHeld::Nobody),
    ("authorisation_protocol", NotHeld::Nobody),
    ("key_store", NotHeld::Nobody),
    ("destroyed_key", NotHeld::Nobody),
];

/// One page of what a service holds: of one table, from a row on. The token names the next; empty after the last.
pub(crate) async fn page(
    about: &About,
    tx: &mut Tx,
    client: ClientId,
    token: &str,
) -> Result<(Vec<ExportPart>, String)> {
    let page = Page::read(0, token, ROWS)?;
    let number = |part: usize| page.text(part).parse::<usize>().map_err(|_| &kernel::general::PAGE_TOKEN_INVALID);
    let (mut at, mut from) = match &*page.after {
        [] => (0, 0),
        _ => (number(0)?, number(1)? as i64),
    };
    let tables: Vec<&Held> = about.held.iter().chain(SHARED).collect();
    while let Some(held) = tables.get(at) {
        let mut rows = tx.rows(held.sql, args![(about.known_as)(client), ROWS + 1, from]).await?;
        let more = rows.len() as i64 > ROWS;
        rows.truncate(ROWS as usize);
        if !rows.is_empty() {
            let part = part(about.name, tx, client, held, &rows).await?;
            let next = if more { (at, from + ROWS) } else { (at + 1, 0) };
            let last = next.0 == tables.len();
            let token = if last { String::new() } else { Page::token(vec![next.0.to_string(), next.1.to_string()]) };
            return Ok((vec![part], token));
        }
        (at, from) = (at + 1, 0);
    }
    Ok((Vec::new(), String::new()))
}

async fn part(service: &str, tx: &Tx, client: ClientId, held: &Held, rows: &[Row]) -> Result<ExportPart> {
    let (mut all, mut text) = (Vec::with_capacity(rows.len()), String::new());
    for row in rows {
        let mut fields = Map::new();
        for (column, kind) in held.columns {
            let value = match kind {
                Kind::Sealed => Value::Null,
                _ => plain(row, column, *kind)?,
            };
            fields.insert((*column).to_owned(), value);
        }
        for seal in held.seals {
            let opened = open(tx, client, seal, row, &fields).await?;
            fields.insert(seal.column.to_owned(), opened);
        }
        for (column, value) in &fields {
            say(&mut text, 0, column, value);
        }
        text.push('\n');
        all.push(Value::Object(fields));
    }
    let mut withheld: Vec<ExportWithheld> =
        held.withheld.iter().map(|(field, ground)| not_given((*field).to_owned(), *ground)).collect();
    for seal in held.seals {
        let inside = seal.without.iter().map(|name| format!("{}.{name}", seal.column));
        withheld.extend(inside.map(|field| not_given(field, WithheldGround::ThirdParty)));
    }
    Ok(ExportPart {
        service: service.to_owned(),
        collection: held.table.to_owned(),
        title: held.title.to_owned(),
        json: Value::Array(all).to_string(),
        text: text.trim_end().to_owned(),
        withheld,
    })
}

fn plain(row: &Row, column: &str, kind: Kind) -> Result<Value> {
    Ok(match kind {
        Kind::Text => row.get::<Option<String>>(column)?.into(),
        Kind::Number => row.get::<Option<i64>>(column)?.into(),
        Kind::Flag => row.get::<Option<bool>>(column)?.into(),
        Kind::Moment => row.get::<Option<Timestamp>>(column)?.map(|at| at.to_string()).into(),
        Kind::Json => match row.get::<Option<String>>(column)? {
            Some(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            None => Value::Null,
        },
        Kind::Sealed => Value::Null,
    })
}

/// What a sealed column says; nothing when it is empty, or when nobody can read it any more.
async fn open(tx: &Tx, client: ClientId, seal: &Seal, row: &Row, fields: &Map<String, Value>) -> Result<Value> {
    let sealed = match row.get::<Option<Vec<u8>>>(seal.column)? {
        Some(sealed) if !sealed.is_empty() => sealed,
        _ => return Ok(Value::Null),
    };
    let part = |name: &&str| match &fields[*name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let place = seal.row.iter().map(part).collect::<Vec<_>>().join("/");
    let class = match (seal.class, fields.get("class").and_then(Value::as_str)) {
        (Some(class), _) => class,
        (None, Some("plan")) => Retention::Plan,
        (None, Some("file")) => Retention::File,
        (None, _) => return Err(Error::inconsistent(seal.column, "class", "is no class")),
    };
    let text = match tx.sealer().open(class.of(client), seal.place, place, &sealed).await? {
        Opened::Text(text) => text,
        Opened::Erased => return Ok(Value::Null),
    };
    let mut value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    without(&mut value, seal.without);
    Ok(value)
}

/// Takes names out of a nested value.
fn without(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !names.contains(&name.as_str()));
            fields.values_mut().for_each(|value| without(value, names));
        }
        Value::Array(several) => several.iter_mut().for_each(|value| without(value, names)),
        _ => {}
    }
}

fn not_given(field: String, ground: WithheldGround) -> ExportWithheld {
    let why = match ground {
        WithheldGround::Staff => "De naam van een medewerker: u ziet de organisatie (AVG artikel 15, lid 4).",
        WithheldGround::ThirdParty => "Dit gaat over iemand anders (AVG artikel 15, lid 4).",
        WithheldGround::Reporter => "Dit kan laten zien wie er iets over u meldde (AVG artikel 15, lid 4).",
        WithheldGround::Copy => "Dit herhaalt voor de computer wat elders in dit overzicht staat.",
        WithheldGround::Security => "Dit dient om gegevens te beveiligen en zegt zelf niets over u.",
        WithheldGround::Unspecified => "",
    };
    ExportWithheld { field, ground: ground.into(), why: why.to_owned() }
}

/// One line, or a few for what is nested; nothing for what is empty.
fn say(text: &mut String, depth: usize, name: &str, value: &Value) {
    let (indent, label) = ("  ".repeat(depth), label(name));
    match value {
        Value::Null => {}
        Value::String(said) if said.is_empty() => {}
        Value::Array(several) if several.is_empty() => {}
        Value::Object(fields) => {
            let _ = writeln!(text, "{indent}{label}:");
            fields.iter().for_each(|(name, value)| say(text, depth + 1, name, value));
        }
        Value::Array(several) if several.iter().any(|one| one.is_object() || one.is_array()) => {
            let _ = writeln!(text, "{indent}{label}:");
            for (n, one) in several.iter().enumerate() {
                say(text, depth + 1, &(n + 1).to_string(), one);
            }
        }
        Value::Array(several) => {
            let words: Vec<String> = several.iter().map(|one| word(name, one)).collect();
            let _ = writeln!(text, "{indent}{label}: {}", words.join(", "));
        }
        other => {
            let _ = writeln!(text, "{indent}{label}: {}", word(name, other));
        }
    }
}

/// A value of a column as people write it: a date, a moment in Amsterdam, yes or no, what a code says.
fn word(column: &str, value: &Value) -> String {
    let dutch = |date: Date| format!("{}-{}-{}", date.day(), date.month(), date.year());
    match value {
        Value::Bool(true) => "ja".to_owned(),
        Value::Bool(false) => "nee".to_owned(),
        Value::String(text) => {
            // A date alone; an instant reads as one as well.
            if let (10, Ok(date)) = (text.len(), text.parse::<Date>()) {
                return dutch(date);
            }
            match (text.ends_with('Z'), text.parse::<Timestamp>(), TimeZone::get("Europe/Amsterdam")) {
                (true, Ok(at), Ok(zone)) => {
                    let there = at.to_zoned(zone);
                    format!("{} om {:02}:{:02} uur", dutch(there.date()), there.hour(), there.minute())
                }
                _ => said(column, text).unwrap_or_else(|| text.clone()),
            }
        }
        other => other.to_string(),
    }
}

/// What a code of a column says, if it is one.
fn said(column: &str, text: &str) -> Option<String> {
    let several = |one: fn(&str) -> Option<&'static str>| {
        let said: Option<Vec<&str>> = text.split(',').map(|part| one(part.trim())).collect();
        said.map(|words| words.join(", "))
    };
    match column {
        "purpose" => Purposes::embedded().get(text).map(|purpose| purpose.nl.clone()),
        "role" | "roles" => several(|key| Role::from_key(key).map(|role| words::role(role).0)),
        "categories" => several(|key| {
            let category = DataCategory::from_str_name(&format!("DATA_CATEGORY_{}", key.to_ascii_uppercase()))?;
            words::category(category).map(|words| words.0)
        }),
        "type" => codes::event(text.rsplit('.').next()?).map(str::to_owned),
        _ => codes::code(column, text).map(str::to_owned),
    }
}

/// What a column, or a part of a nested value, is called in Dutch.
fn label(name: &str) -> String {
    let known = LABELS.iter().find(|(column, _)| *column == name);
    known.map_or_else(|| name.replace('_', " "), |(_, label)| (*label).to_owned())
}

/// Every column, and every part of a nested value, by its Dutch name.
pub const LABELS: &[(&str, &str)] = &[
    ("accepted_at", "aangenomen"),
    ("accepted_on", "aangenomen op"),
    ("access_point", "hoe iemand binnenkwam"),
    ("access_request_id", "nummer van het verzoek"),
    ("acknowledged_on", "in behandeling sinds"),
    ("action", "wat er dan gebeurt"),
    ("admitted_on", "opgenomen op"),
    ("adults", "volwassenen"),
    ("advanced_on", "laatste voorschot op"),
    ("advances", "voorschotten"),
    ("advances_cents", "voorschotten (in centen)"),
    ("aftercare_id", "nummer van de nazorg"),
    ("age", "leeftijd"),
    ("age_class", "leeftijdsgroep"),
    ("agreed_on", "afgesproken op"),
    ("agreement", "overeenkomst"),
    ("agreements", "afspraken"),
    ("allocation", "toewijzing"),
    ("allocation_id", "nummer van de toewijzing"),
    ("announce_on", "aangekondigd op"),
    ("answer", "antwoord"),
    ("answer_by", "antwoord uiterlijk"),
    ("answer_until", "antwoord mogelijk tot en met"),
    ("answered_on", "beantwoord op"),
    ("application", "aanvraag"),
    ("application_id", "nummer van de aanvraag"),
    ("applied_on", "aangevraagd op"),
    ("asked_on", "gevraagd op"),
    ("assigned", "toegewezen door de gemeente"),
    ("assignment_id", "nummer van de aanwijzing"),
    ("authority", "uitvoerende dienst"),
    ("authority_before", "uitvoerende dienst daarvoor"),
    ("before", "daarvoor"),
    ("benefit", "uitkering"),
    ("benefit_request_id", "nummer van de bijstandsaanvraag"),
    ("birth_date", "geboortedatum"),
    ("bridging", "ter overbrugging"),
    ("brief", "aanleiding"),
    ("bsn", "burgerservicenummer"),
    ("by", "door"),
    ("by_client", "door u zelf vastgelegd"),
    ("cancel_reason", "reden van afzegging"),
    ("cap_cents", "hoogste bedrag (in centen)"),
    ("capacity", "als"),
    ("case_id", "nummer van het dossier"),
    ("caseholder_until", "bij de regisseur tot"),
    ("categories", "soorten gegevens"),
    ("category", "soort gegevens"),
    ("cause", "oorzaak"),
    ("checked_on", "vastgesteld op"),
    ("children", "kinderen"),
    ("circumstances", "omstandigheden"),
    ("claim_id", "nummer van de plaats"),
    ("claimed_on", "vastgehouden sinds"),
    ("class", "bewaarklasse"),
    ("client_accepted", "door u aangenomen"),
    ("client_id", "uw nummer"),
    ("close_reason", "reden van sluiting"),
    ("closed_on", "gesloten op"),
    ("completed_on", "afgerond op"),
    ("concerns", "waar het over gaat"),
    ("consent_id", "nummer van de toestemming"),
    ("consents", "gebruikte toestemmingen"),
    ("contact_id", "nummer van het contact"),
    ("contact_on", "contact op"),
    ("contingent_id", "nummer van het contingent"),
    ("conversion_months", "maanden tot de huur op uw naam komt"),
    ("conversion_on", "huur op uw naam vanaf"),
    ("corporation", "woningcorporatie"),
    ("corporation_accepted", "door de corporatie aangenomen"),
    ("correction_id", "nummer van het verzoek"),
    ("cost_sharers", "met wie u kosten deelt"),
    ("custody", "gezag"),
    ("day", "dag"),
    ("day_activity", "daginvulling"),
    ("day_and_night_channel", "dag en nacht bereikbaar"),
    ("debt_help_only", "alleen voor schuldhulp"),
    ("decide_by", "beslissing uiterlijk"),
    ("decided_at", "beslist"),
    ("decided_on", "beslist op"),
    ("decision", "beslissing"),
    ("decision_id", "nummer van de beslissing"),
    ("decisions", "beschikkingen"),
    ("departed_on", "vertrokken op"),
    ("deputy", "vervanger"),
    ("destination", "bestemming"),
    ("deviation", "reden van afwijking"),
    ("died_on", "overleden op"),
    ("discussed_with_client_on", "met u besproken op"),
    ("district", "wijk"),
    ("document", "vindplaats"),
    ("domain", "leefgebied"),
    ("due_at", "aan de beurt"),
    ("due_on", "uiterlijk op"),
    ("dwelling_id", "nummer van de woning"),
    ("dwelling_taken", "woning al vergeven"),
    ("elsewhere", "elders"),
    ("email", "e-mailadres"),
    ("emergency_id", "nummer van de noodtoegang"),
    ("ended", "beëindigd"),
    ("ended_at", "geëindigd"),
    ("ended_by", "geëindigd door"),
    ("ended_on", "geëindigd op"),
    ("ends_on", "loopt tot en met"),
    ("entry_id", "nummer van de wachtlijstplaats"),
    ("erasure_id", "nummer van het verzoek"),
    ("event_id", "nummer van de gebeurtenis"),
    ("excluded", "waar u niet wilt wonen"),
    ("explanation", "toelichting"),
    ("extension_ground", "reden van verlenging"),
    ("facility_id", "nummer van de voorziening"),
    ("facts", "feiten"),
    ("failed", "waaraan nog niet is voldaan"),
    ("fallen", "toewijzingen die niet doorgingen"),
    ("fell", "niet doorgegaan"),
    ("finished_on", "afgerond op"),
    ("first_filled_at", "voor het eerst ingevuld"),
    ("first_meeting_on", "eerste gesprek op"),
    ("first_names", "voornamen"),
    ("for_allocation", "voor toewijzing"),
    ("forget_on", "vergeten op"),
    ("form", "vorm of formulier"),
    ("forms", "soorten huurcontract"),
    ("from", "vanaf"),
    ("from_on", "vanaf"),
    ("from_organisation", "van organisatie"),
    ("gap_days", "dagen zonder inkomen"),
    ("gate", "toestemming om te tekenen"),
    ("gate_ground", "grond om te mogen tekenen"),
    ("generation", "reeks van cijfers"),
    ("given_on", "gegeven op"),
    ("giver_contact", "contact bij wie overdraagt"),
    ("goal_id", "nummer van het doel"),
    ("grant", "toekenning"),
    ("granted_at", "begonnen"),
    ("ground", "grond"),
    ("group", "groep"),
    ("guarantee", "terugvalgarantie"),
    ("guarantee_id", "nummer van de garantie"),
    ("guarantee_required", "garantie nodig"),
    ("guarantees", "garantstellingen"),
    ("guidance", "begeleiding"),
    ("guidance_needed", "begeleiding die nodig is"),
    ("guidance_tied", "begeleiding hoort bij de huur"),
    ("handover_id", "nummer van de overdracht"),
    ("held_until", "vrijgehouden tot en met"),
    ("help_agreement_id", "nummer van de instemming"),
    ("hold_reason", "reden van vrijhouden"),
    ("holder_deputy", "vervanger van uw regisseur"),
    ("holder_organisation", "organisatie van uw regisseur"),
    ("holder_person", "uw regisseur"),
    ("home", "adres"),
    ("house_number", "huisnummer"),
    ("household", "huishouden"),
    ("id", "nummer"),
    ("identity", "gegevens over wie u bent"),
    ("income", "inkomen"),
    ("income_tested_on", "inkomen getoetst op"),
    ("institution", "verblijf in een instelling"),
    ("intake_id", "nummer van de intake"),
    ("integrated", "samen met inkomen"),
    ("investigated", "onderzoek afgerond"),
    ("investigation_due_on", "onderzoek uiterlijk"),
    ("items", "wat er gevraagd is"),
    ("joined", "op de lijst gekomen"),
    ("joined_on", "op de lijst sinds"),
    ("judged", "beoordeeld"),
    ("keeping_id", "nummer van het besluit"),
    ("kept_client_id", "nummer van het dossier dat wordt gebruikt"),
    ("keys_on", "sleutels op"),
    ("kind", "soort"),
    ("kinds", "soorten woning"),
    ("landed", "goed geland"),
    ("last_contact_on", "laatste contact op"),
    ("last_contact_result", "uitkomst van het laatste contact"),
    ("last_day", "laatste dag"),
    ("late", "te laat beslist"),
    ("lease_months", "maanden huur"),
    ("lease_start_on", "begin van de huur"),
    ("left_on", "van de lijst op"),
    ("left_reason", "reden van vertrek van de lijst"),
    ("legal_ground", "wettelijke grond"),
    ("level", "niveau"),
    ("levels", "scores"),
    ("max_rent", "hoogste huur (in centen)"),
    ("members", "leden van het huishouden"),
    ("merge_id", "nummer van de samenvoeging"),
    ("merged_by", "samengevoegd door"),
    ("merged_on", "samengevoegd op"),
    ("min_rooms", "minste kamers"),
    ("minutes", "minuten"),
    ("missed", "gemiste contacten"),
    ("moment", "moment"),
    ("move_on", "verhuizing op"),
    ("municipality", "gemeente"),
    ("neighbourhood", "buurt"),
    ("network", "mensen om u heen"),
    ("next_contact_on", "volgend contact op"),
    ("night", "nacht van"),
    ("nights_used", "gebruikte nachten"),
    ("nominated_by", "voorgedragen door"),
    ("nominated_on", "voorgedragen op"),
    ("nomination_id", "nummer van de voordracht"),
    ("notification_id", "nummer van de melding"),
    ("occurred_at", "gebeurd"),
    ("occurred_on", "gebeurd op"),
    ("offer_id", "nummer van de aanbieding"),
    ("offered_on", "aangeboden op"),
    ("on", "op"),
    ("opened_at", "geopend"),
    ("opened_on", "geopend op"),
    ("opens", "mag doorgaan"),
    ("organisation", "organisatie"),
    ("origin", "herkomst"),
    ("outcome", "uitkomst"),
    ("outcome_explanation", "toelichting op de uitkomst"),
    ("overdue", "te laat"),
    ("overdue_from", "te laat vanaf"),
    ("owner", "eigenaar"),
    ("paid_from_on", "betaald vanaf"),
    ("part", "deel"),
    ("parties", "partijen"),
    ("partner", "partner"),
    ("parts", "opbouw van de rangorde"),
    ("party", "partij"),
    ("person", "persoon"),
    ("phone", "telefoonnummer"),
    ("place", "plaats in de rangorde"),
    ("plan", "plan"),
    ("plan_absence", "waarom u niet bij het plan was"),
    ("plan_absence_class", "bewaarklasse van die uitleg"),
    ("plan_adopted_on", "plan vastgesteld op"),
    ("plan_edition", "versie van het plan"),
    ("planned_on", "gepland op"),
    ("points", "punten"),
    ("policy_version", "versie van het beleid"),
    ("postcode", "postcode"),
    ("prepared", "voorbereid"),
    ("protocol", "versie van de rechtentabel"),
    ("provider", "begeleidende organisatie"),
    ("purpose", "doel"),
    ("question", "vraag"),
    ("raised", "gewaarschuwd over"),
    ("ready", "klaar"),
    ("reason", "reden"),
    ("received_at", "ontvangen"),
    ("received_on", "ontvangen op"),
    ("receiver", "ontvanger"),
    ("recorded_at", "vastgelegd"),
    ("recorded_by", "vastgelegd door"),
    ("recorded_on", "vastgelegd op"),
    ("refusal", "afwijzing"),
    ("registered_at", "ingeschreven"),
    ("registered_by", "ingeschreven door"),
    ("relation_id", "nummer van de relatie"),
    ("release_id", "nummer van de ontheffing"),
    ("released_reason", "reden van vrijgeven"),
    ("relocation", "verhuizing"),
    ("remind_on", "herinnering op"),
    ("rent", "huur (in centen)"),
    ("rent_cents", "huur (in centen)"),
    ("reported_on", "gemeld op"),
    ("reports", "aantal meldingen"),
    ("representative_id", "nummer van de vertegenwoordiging"),
    ("represented_by", "vertegenwoordigd door"),
    ("requested_on", "gevraagd op"),
    ("result", "uitkomst"),
    ("retention_id", "nummer van de bewaartermijn"),
    ("return_note", "toelichting bij teruggeven"),
    ("return_reason", "reden van teruggeven"),
    ("returned", "teruggegeven"),
    ("review_by", "te beoordelen uiterlijk"),
    ("reviewed_on", "beoordeeld op"),
    ("reviews", "evaluaties"),
    ("role", "rol"),
    ("roles", "rollen"),
    ("rpc", "handeling"),
    ("running_at", "loopt bij"),
    ("safe_contact_id", "nummer van de afspraak"),
    ("safety", "veiligheid"),
    ("school", "school"),
    ("scored_on", "gescoord op"),
    ("scoring_id", "nummer van de score"),
    ("search_term", "zoektermijn"),
    ("set_by", "vastgelegd door"),
    ("set_no", "volgnummer"),
    ("severity", "ernst"),
    ("shared_money_kinds", "wat over geld gedeeld mag worden"),
    ("shield_id", "nummer van de afscherming"),
    ("shielded_by", "afgeschermd door"),
    ("short_reapplication", "korte heraanvraag"),
    ("sign", "signaal"),
    ("signal_id", "nummer van het signaal"),
    ("signatories", "wie tekenen"),
    ("signature", "handtekening"),
    ("signatures", "handtekeningen"),
    ("signed", "huur getekend"),
    ("signs", "signalen"),
    ("since", "sinds"),
    ("split_by", "gesplitst door"),
    ("split_id", "nummer van de splitsing"),
    ("split_on", "gesplitst op"),
    ("stabilised_since", "stabiel sinds"),
    ("stage", "stadium"),
    ("standard", "norm"),
    ("standing", "hoe de aanroeper zich verhield tot u"),
    ("standstill_days", "dagen dat de termijn stilstond"),
    ("start_on", "begint op"),
    ("started_on", "begonnen op"),
    ("starts_on", "gaat in op"),
    ("state", "toestand"),
    ("stated_by", "verklaard door"),
    ("stay_id", "nummer van het verblijf"),
    ("step", "stap"),
    ("stepped_on", "gezet op"),
    ("subject", "onderwerp"),
    ("subject_id", "nummer van het onderwerp"),
    ("suitability", "passend toewijzen"),
    ("supervisor_changes", "wisselingen van begeleider"),
    ("supervisor_organisation", "organisatie van uw begeleider"),
    ("supervisor_person", "uw begeleider"),
    ("surname", "achternaam"),
    ("taken_up_at", "opgepakt"),
    ("taken_up_by", "opgepakt door"),
    ("target_group", "doelgroep"),
    ("task_id", "nummer van de taak"),
    ("temporary_ground", "reden van tijdelijke huur"),
    ("tenant", "huurder"),
    ("text_version", "versie van de tekst"),
    ("through", "bereikbaar via"),
    ("to", "naar"),
    ("to_organisation", "naar organisatie"),
    ("told", "verteld"),
    ("told_of_client_support", "gewezen op cliëntondersteuning"),
    ("told_of_personal_plan", "gewezen op het persoonlijk plan"),
    ("told_on", "aan u verteld op"),
    ("trajectory_on", "traject sinds"),
    ("triggers", "aanleidingen"),
    ("type", "soort gebeurtenis"),
    ("undone_explanation", "waarom ongedaan gemaakt"),
    ("undone_on", "ongedaan gemaakt op"),
    ("until", "tot"),
    ("until_at", "tot"),
    ("until_on", "tot en met"),
    ("unverified", "niet geverifieerd"),
    ("upheld", "standgehouden"),
    ("urgent", "spoedvoorziening"),
    ("urgent_facility_id", "nummer van de voorziening bij spoed"),
    ("urgent_ground", "grond bij spoed"),
    ("used", "gebruik"),
    ("used_shelter_before", "eerder opvang gebruikt"),
    ("v_number", "V-nummer"),
    ("verified_by", "gecontroleerd door"),
    ("version", "versie"),
    ("waived", "vervallen"),
    ("waiver_proposed", "voorgesteld om te laten vervallen"),
    ("warn_on", "waarschuwing op"),
    ("warned", "gewaarschuwd"),
    ("watch", "waarover"),
    ("way", "hoe u het kreeg"),
    ("what", "wat"),
    ("what_helps", "wat helpt"),
    ("who_to_call", "wie gebeld mag worden"),
    ("wished", "gewenst"),
    ("wishes", "wensen"),
    ("wishes_and_strengths", "wensen en sterke kanten"),
    ("withdrawn", "ingetrokken"),
    ("withdrawn_on", "ingetrokken op"),
    ("without_procedure", "zonder procedure"),
    ("word_id", "nummer van het besluit"),
    ("words", "in uw woorden"),
    ("work", "werk"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// R-REG-21
    #[test]
    fn what_is_kept_is_said_in_plain_dutch() {
        let row = serde_json::json!({
            "received_on": "2026-03-02", "recorded_at": "2026-03-02T08:00:00Z", "overdue": true, "ended_on": null,
            "identity": { "surname": "Jansen", "home": { "postcode": "3311EN" } },
            "members": [{ "birth_date": "2020-01-31" }], "roles": "shelter",
        });
        let mut text = String::new();
        row.as_object().unwrap().iter().for_each(|(name, value)| say(&mut text, 0, name, value));
        for line in [
            "ontvangen op: 2-3-2026\n",
            "vastgelegd: 2-3-2026 om 09:00 uur\n",
            "te laat: ja\n",
            "  achternaam: Jansen\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(!text.contains("2026-03-02") && !text.contains("geëindigd"), "{text}");
    }

    /// R-REG-27
    #[test]
    fn what_is_about_others_is_taken_out_however_deep_it_is() {
        let mut value =
            serde_json::json!([{ "role": "child", "client_id": "x", "more": { "client_id": "y", "a": 1 } }]);
        without(&mut value, &["client_id"]);
        assert_eq!(value, serde_json::json!([{ "role": "child", "more": { "a": 1 } }]));
    }
}
