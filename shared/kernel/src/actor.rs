//! Who asks.

use crate::{ClientId, Organisation};

macro_rules! roles {
    ($($variant:ident = $name:literal, $doc:literal;)*) => {
        /// The role in which somebody acts (`domain` section 2). The text is the one in tokens and in the policy table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Role { $(#[doc = $doc] $variant,)* }

        impl Role {
            /// Every role there is.
            pub const ALL: &'static [Role] = &[$(Role::$variant,)*];

            /// The role's key, as in a token.
            pub fn as_str(self) -> &'static str {
                match self { $(Role::$variant => $name,)* }
            }

            /// The role with that key, if there is one.
            pub fn from_key(key: &str) -> Option<Role> {
                match key { $($name => Some(Role::$variant),)* _ => None }
            }
        }
    };
}

roles! {
    Client = "client", "The client, about the own file.";
    Access = "access", "The access desk: Wmo consultants and central access.";
    Caseholder = "caseholder", "The one contact of a client, by person.";
    Regie = "regie", "The municipality as orchestrator.";
    Shelter = "shelter", "A shelter or care provider.";
    Vo = "vo", "A women's shelter.";
    Corporation = "corporation", "A housing corporation.";
    Income = "income", "Social services.";
    Debt = "debt", "Debt counselling.";
    Civil = "civil", "Civil affairs.";
    District = "district", "A district team.";
    Treatment = "treatment", "Mental health or addiction care.";
    Remote = "remote", "Remote support.";
    Informal = "informal", "Neighbours, buddies, head residents.";
    Police = "police", "The district officer.";
    Guardian = "guardian", "A guardian of finances or curator.";
    Hotline = "hotline", "A hotline for care and nuisance.";
    PrivacyOfficer = "privacy_officer", "Reads logs, not files.";
    PeerMuni = "peer_muni", "Another municipality.";
    Monitor = "monitor", "Researcher or policy staff: aggregates only.";
    SvcAccess = "svc_access", "The access service.";
    SvcHousing = "svc_housing", "The housing service.";
    SvcIncome = "svc_income", "The income service.";
    SvcAftercare = "svc_aftercare", "The aftercare service.";
    SvcRegie = "svc_regie", "The regie service: the only one that commands others.";
    SvcMonitor = "svc_monitor", "The monitor service.";
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who asks: read from a token that was checked, never from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person or service, by the issuer's own name for it.
    pub subject: String,
    /// The organisation for which that person works.
    pub organisation: Organisation,
    /// The roles that the organisation gave.
    pub roles: Vec<Role>,
    /// On whose behalf a service calls, if on anybody's.
    pub on_behalf_of: Option<String>,
    /// The client that a `client` token speaks for.
    pub client_id: Option<ClientId>,
}

impl Actor {
    /// Whether the actor has that role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_reads_back_from_its_key() {
        for role in Role::ALL {
            assert_eq!(Role::from_key(role.as_str()), Some(*role));
        }
        assert_eq!(Role::from_key("root"), None);
    }
}
