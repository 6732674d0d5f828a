//! Codes in plain words, as a client reads them: Dutch first, English beside it (R-REG-21, R-REG-27).

use auth::Purposes;
use kernel::Role;
use proto::audit::v1::{AccessEntry, AccessInWords, DataCategory};

/// The same in Dutch and in English.
pub type Words = (&'static str, &'static str);

/// Somebody's role.
pub fn role(role: Role) -> Words {
    match role {
        Role::Client => ("u zelf", "you yourself"),
        Role::Access => ("toegang van de gemeente", "access desk of the municipality"),
        Role::Caseholder => ("trajecthouder", "case holder"),
        Role::Regie => ("gemeente, regie", "municipality, orchestration"),
        Role::Shelter => ("opvang en begeleiding", "shelter and guidance"),
        Role::Vo => ("vrouwenopvang", "women's shelter"),
        Role::Corporation => ("woningcorporatie", "housing corporation"),
        Role::Income => ("sociale dienst", "social services"),
        Role::Debt => ("schuldhulpverlening", "debt counselling"),
        Role::Civil => ("burgerzaken", "civil affairs"),
        Role::District => ("wijkteam", "district team"),
        Role::Treatment => ("behandelaar", "treatment"),
        Role::Remote => ("begeleiding op afstand", "remote support"),
        Role::Informal => ("buurt en vrijwilligers", "neighbours and volunteers"),
        Role::Police => ("politie", "police"),
        Role::Guardian => ("bewindvoerder", "guardian of finances"),
        Role::Hotline => ("meldpunt", "hotline"),
        Role::PrivacyOfficer => ("privacytoezicht", "privacy officer"),
        Role::PeerMuni => ("andere gemeente", "another municipality"),
        Role::Monitor => ("onderzoek en beleid", "research and policy"),
        Role::SvcAccess
        | Role::SvcHousing
        | Role::SvcIncome
        | Role::SvcAftercare
        | Role::SvcRegie
        | Role::SvcMonitor => {
            ("het systeem zelf, zonder dat iemand meekeek", "the system itself, with nobody looking on")
        }
    }
}

/// What data tell about a person; nothing for what tells of nobody.
pub fn category(category: DataCategory) -> Option<Words> {
    Some(match category {
        DataCategory::Identity => ("naam, geboortedatum en contact", "name, birth date and contact"),
        DataCategory::Bsn => ("burgerservicenummer", "citizen service number"),
        DataCategory::Decision => ("melding, aanvraag en beschikking", "notification, application and decision"),
        DataCategory::LifeDomains => ("leefgebieden en doelen", "life domains and goals"),
        DataCategory::CareNeed => ("begeleiding die nodig is", "guidance that is needed"),
        DataCategory::Income => ("inkomen en uitkering", "income and benefit"),
        DataCategory::Debt => ("schulden", "debts"),
        DataCategory::Guarantee => ("garantstelling en regelbudget", "rent guarantee and free-use budget"),
        DataCategory::Stay => ("verblijf in de opvang", "stay in the shelter"),
        DataCategory::Tenancy => ("woning en huurcontract", "home and lease"),
        DataCategory::Handover => ("overdrachtsformulier", "handover form"),
        DataCategory::Signal => ("signalen en signaleringsplan", "signals and signalling plan"),
        DataCategory::Scores => ("scores van zelfredzaamheid", "self-reliance scores"),
        DataCategory::AccessLog => ("wie uw gegevens heeft ingezien", "who looked at your data"),
        DataCategory::Unspecified | DataCategory::Reference | DataCategory::Organisation | DataCategory::Aggregate => {
            return None;
        }
    })
}

/// What a service is about, where an entry names no data.
fn about(method: &str) -> Words {
    match method.split('/').next().unwrap_or_default() {
        "AccessService" => ("aanmelding, beschikking of opvang", "notification, decision or shelter"),
        "HousingService" => ("een woning", "a home"),
        "IncomeService" => ("inkomen of schulden", "income or debts"),
        "AftercareService" => ("nazorg of signalen", "aftercare or signals"),
        "RegieService" => ("uw dossier en plan", "your file and plan"),
        "FeedService" => ("berichten over wat er gebeurde", "messages about what happened"),
        _ => ("uw gegevens", "your data"),
    }
}

/// `Leger des heils` for `leger-des-heils`.
fn readable(organisation: &str) -> String {
    let text = organisation.replace('-', " ");
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn joined(words: Vec<Words>, otherwise: Words) -> (String, String) {
    if words.is_empty() {
        return (otherwise.0.to_owned(), otherwise.1.to_owned());
    }
    let (nl, en): (Vec<_>, Vec<_>) = words.into_iter().unzip();
    (nl.join(", "), en.join(", "))
}

/// An entry of the access log as the client reads it: whether something was to be changed, and whether the client's legal
/// representative looked.
pub fn access(entry: &AccessEntry, (changed, represented): (bool, bool)) -> AccessInWords {
    let roles: Vec<Role> = entry.roles.iter().filter_map(|key| Role::from_key(key)).collect();
    let (role_nl, role_en) = joined(roles.iter().map(|one| role(*one)).collect(), ("onbekend", "unknown"));
    let by_people = !roles.iter().any(|role| *role == Role::Client || role.as_str().starts_with("svc_"));
    let (who_nl, who_en) = match by_people {
        true => {
            let organisation = readable(&entry.organisation);
            (format!("{organisation} ({role_nl})"), format!("{organisation} ({role_en})"))
        }
        false if represented => ("uw wettelijk vertegenwoordiger".to_owned(), "your legal representative".to_owned()),
        false => (role_nl, role_en),
    };
    let told: Vec<_> = entry.categories().filter_map(category).collect();
    let (nl, en) = joined(told, about(&entry.method));
    let (what_nl, what_en) = match (entry.result == "ok", changed) {
        (true, false) => (format!("Bekeken: {nl}."), format!("Looked at: {en}.")),
        (true, true) => (format!("Vastgelegd of gewijzigd: {nl}."), format!("Recorded or changed: {en}.")),
        (false, false) => (
            format!("Geprobeerd te bekijken: {nl}. Dat is geweigerd."),
            format!("Tried to look at: {en}. That was refused."),
        ),
        (false, true) => (
            format!("Geprobeerd vast te leggen of te wijzigen: {nl}. Dat is geweigerd."),
            format!("Tried to record or change: {en}. That was refused."),
        ),
    };
    let purpose = Purposes::embedded().get(&entry.purpose);
    let (nl, en) = purpose.map_or(("onbekend", "unknown"), |purpose| (purpose.nl.as_str(), purpose.en.as_str()));
    let (why_nl, why_en) = match entry.emergency_id.is_empty() {
        true => (format!("Doel: {nl}."), format!("Purpose: {en}.")),
        false => (
            format!("Noodtoegang: deze medewerker had nog niet met u te maken en gebruikte de noodknop. Doel: {nl}."),
            format!("Emergency access: this worker had nothing to do with you yet and used it. Purpose: {en}."),
        ),
    };
    AccessInWords { who_nl, who_en, what_nl, what_en, why_nl, why_en }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn entry(roles: &[&str], method: &str, result: &str) -> AccessEntry {
        AccessEntry {
            organisation: "leger-des-heils".to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            method: method.to_owned(),
            purpose: "shelter".to_owned(),
            result: result.to_owned(),
            subject: "een medewerker".to_owned(),
            on_behalf_of: "een ander".to_owned(),
            ..AccessEntry::default()
        }
    }

    /// R-REG-21
    #[test]
    fn every_role_and_every_kind_of_data_has_words_of_its_own_in_both_languages() {
        let people = Role::ALL.iter().filter(|role| !role.as_str().starts_with("svc_"));
        let roles: Vec<Words> = people.map(|one| role(*one)).collect();
        let data: Vec<Words> = (0..64).filter_map(|n| DataCategory::try_from(n).ok()).filter_map(category).collect();
        assert!(roles.len() == 20 && data.len() == 14, "{} and {}", roles.len(), data.len());
        for words in [roles, data] {
            let dutch: BTreeSet<&str> = words.iter().map(|one| one.0).collect();
            let english: BTreeSet<&str> = words.iter().map(|one| one.1).collect();
            assert_eq!((dutch.len(), english.len()), (words.len(), words.len()));
            assert!(words.iter().all(|(nl, en)| !nl.is_empty() && !en.is_empty()));
        }
    }

    /// R-REG-21, R-REG-20
    #[test]
    fn an_entry_reads_as_a_sentence_and_says_when_it_was_an_emergency() {
        let mut look = entry(&["shelter"], "AccessService/GetClientForGuidance", "ok");
        look.categories =
            vec![DataCategory::Identity.into(), DataCategory::Reference.into(), DataCategory::Stay.into()];
        let said = access(&look, (false, false));
        assert_eq!(said.who_nl, "Leger des heils (opvang en begeleiding)");
        assert_eq!(said.what_nl, "Bekeken: naam, geboortedatum en contact, verblijf in de opvang.");
        assert_eq!(said.what_en, "Looked at: name, birth date and contact, stay in the shelter.");
        assert_eq!(said.why_nl, "Doel: opvang en begeleiding bieden.");
        assert_eq!(said.why_en, "Purpose: giving shelter and guidance.");
        look.emergency_id = "een".to_owned();
        let said = access(&look, (false, false));
        assert!(
            said.why_nl.starts_with("Noodtoegang:") && said.why_nl.ends_with("Doel: opvang en begeleiding bieden.")
        );
        assert!(said.why_en.starts_with("Emergency access:"));
        assert_eq!(
            access(&entry(&["shelter"], "RegieService/SetGoal", "ok"), (true, false)).what_nl,
            "Vastgelegd of gewijzigd: uw dossier en plan."
        );
        assert_eq!(
            access(&entry(&["shelter"], "HousingService/ListOffers", "NOT_FOUND"), (false, false)).what_nl,
            "Geprobeerd te bekijken: een woning. Dat is geweigerd."
        );
    }

    /// R-REG-21
    #[test]
    fn a_legal_representative_is_told_apart_from_the_client() {
        let look = entry(&["client"], "RegieService/GetCaseAsSelf", "ok");
        assert_eq!(access(&look, (false, false)).who_nl, "u zelf");
        assert_eq!(access(&look, (false, true)).who_nl, "uw wettelijk vertegenwoordiger");
        assert_eq!(access(&look, (false, true)).who_en, "your legal representative");
    }

    /// R-REG-27
    #[test]
    fn no_words_name_a_member_of_staff_or_call_a_client_or_the_system_an_organisation() {
        for roles in [&["shelter"][..], &["client"], &["svc_regie"], &[]] {
            for changed in [false, true] {
                let said = access(&entry(roles, "RegieService/GetCase", "ok"), (changed, false));
                let all = [said.who_nl.clone(), said.who_en, said.what_nl, said.what_en, said.why_nl, said.why_en];
                assert!(all.iter().all(|text| !text.is_empty() && !text.contains("een medewerker")), "{all:?}");
                assert!(all.iter().all(|text| !text.contains("een ander")), "{all:?}");
                let named = roles.first().is_none_or(|role| *role == "shelter");
                assert_eq!(said.who_nl.contains("Leger des heils"), named, "{roles:?}");
            }
        }
    }
}
