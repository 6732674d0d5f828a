//! Who the launcher can play: one example organisation per partner role, as in regie's register.

use kernel::{Actor, ClientId, Organisation, Refusal, Role};

/// The roles of partners: all but the services' own.
pub fn partners() -> impl Iterator<Item = Role> {
    Role::ALL.iter().copied().filter(|role| !role.as_str().starts_with("svc_"))
}

/// The organisation in which a role is played unless another is named.
pub fn organisation(role: Role) -> &'static str {
    match role {
        Role::Client => "clients",
        Role::Access | Role::Regie | Role::Civil | Role::PrivacyOfficer | Role::Monitor => "gemeente-dordrecht",
        Role::Shelter | Role::Caseholder => "leger-des-heils",
        Role::Vo => "vrouwenopvang",
        Role::Corporation => "trivire",
        Role::Income | Role::Debt => "sociale-dienst",
        Role::District => "wijkteam-west",
        Role::Treatment => "ggz-drechtsteden",
        Role::Remote => "digicontact",
        Role::Informal => "buurtnetwerk",
        Role::Police => "politie-drechtsteden",
        Role::Guardian => "bewindvoerders",
        Role::Hotline => "meldpunt",
        Role::PeerMuni => "gemeente-zwijndrecht",
        Role::SvcAccess => "svc-access",
        Role::SvcHousing => "svc-housing",
        Role::SvcIncome => "svc-income",
        Role::SvcAftercare => "svc-aftercare",
        Role::SvcRegie => "svc-regie",
        Role::SvcMonitor => "svc-monitor",
    }
}

/// Somebody in a role. A client is one by the id; everybody else has none.
pub fn actor(role: Role, of: Option<&str>, subject: Option<&str>, client: Option<ClientId>) -> Result<Actor, Refusal> {
    let organisation = Organisation::parse("organisation", of.unwrap_or_else(|| organisation(role)))?;
    let subject = subject.map_or_else(|| format!("{role}@{organisation}"), str::to_owned);
    Ok(Actor { subject, organisation, roles: vec![role], on_behalf_of: None, client_id: client })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partner_role_can_be_played() {
        assert_eq!(partners().count(), 20);
        for role in Role::ALL {
            assert!(actor(*role, None, None, None).is_ok(), "{role}");
        }
        assert!(actor(Role::Shelter, Some("Not A Code"), None, None).is_err());
    }
}
