//! The code lists of housing. A code's key is its name in the database, in policy and (in capitals, behind the name of
//! the enum) in the contract: a new code is a line here and a line in `housing.proto`, and no adapter changes.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $key:literal,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
            pub enum $name { $($(#[$vdoc])* #[serde(rename = $key)] $variant,)+ }

            impl crate::domain::Code for $name {
                const NAME: &'static str = stringify!($name);
                const ALL: &'static [Self] = &[$($name::$variant,)+];
                fn as_str(self) -> &'static str {
                    match self { $($name::$variant => $key,)+ }
                }
            }
        )+
    };
}

/// A code of one of the lists.
pub trait Code: Copy + Eq + 'static {
    /// The list's name, the same as in the contract.
    const NAME: &'static str;
    /// Every code of the list.
    const ALL: &'static [Self];
    /// The code's key.
    fn as_str(self) -> &'static str;
    /// The code with that key, if there is one.
    fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == key)
    }
}

codes! {
    /// For whom a contingent is meant (R-ACC-21, R-HOU-21).
    TargetGroup {
        /// Everybody who leaves shelter.
        Outflow = "outflow",
        /// Long psychiatric or addiction problems.
        Classic = "classic",
        /// Economically homeless.
        Economic = "economic",
        /// Up to 27.
        Youth = "youth",
        /// Families.
        Family = "family",
        /// Women.
        Women = "women",
        /// Victims of violence.
        Violence = "violence",
        /// The task for permit holders: never mixed with outflow (R-HOU-21).
        PermitHolders = "permit_holders",
    }
    /// Under which contract a home is let (R-HOU-10).
    ContractForm {
        /// The client's own.
        OwnLease = "own_lease",
        /// Goes to the client later.
        ConvertibleLease = "convertible_lease",
        /// A room with a head resident.
        RoomWithHeadResident = "room_with_head_resident",
        /// With a private host.
        Lodging = "lodging",
        /// For a group.
        GroupContract = "group_contract",
        /// The provider sublets.
        ProviderSublet = "provider_sublet",
    }
    /// What sort of home it is.
    DwellingKind {
        /// A flat.
        Flat = "flat",
        /// A house.
        House = "house",
        /// A studio.
        Studio = "studio",
        /// A room with shared facilities.
        Room = "room",
    }
    /// Where a dwelling stands, its live allocation looked at (P1).
    DwellingState {
        /// Registered and free.
        Available = "available",
        /// An allocation is alive.
        Allocated = "allocated",
        /// Taken out of the pool.
        Withdrawn = "withdrawn",
    }
    /// Why a client declines (R-HOU-22).
    DeclineReason {
        /// Too far from network, school or work.
        Location = "location",
        /// Does not fit the household.
        Size = "size",
        /// Too expensive.
        Costs = "costs",
        /// Not fit for the client's health; judged by access, never shown to the corporation.
        UnsuitableHealth = "unsuitable_health",
        /// Not safe there.
        Safety = "safety",
        /// Found a home in another way.
        FoundElsewhere = "found_elsewhere",
        /// Something else.
        Other = "other",
    }
    /// Why a corporation refuses (R-HOU-22).
    RefusalReason {
        /// Arrears with itself.
        OwnArrears = "own_arrears",
        /// Nuisance in its own dwelling.
        OwnNuisance = "own_nuisance",
        /// The income test.
        IncomeTest = "income_test",
        /// The household does not fit.
        HouseholdSize = "household_size",
        /// The dwelling is not available after all.
        NotAvailable = "not_available",
        /// Something else.
        Other = "other",
    }
    /// Why the decider deviates from the ranking (R-REG-25).
    DeviationReason {
        /// Cannot wait.
        Urgent = "urgent",
        /// Network weighs more.
        Network = "network",
        /// Safety.
        Safety = "safety",
        /// Spread and mix (R-HOU-07, R-HOU-09).
        Neighbourhood = "neighbourhood",
        /// Made or adapted for this household.
        Fitted = "fitted",
        /// Something else.
        Other = "other",
    }
    /// Class of income; never an amount (R-HOU-28).
    IncomeClass {
        /// Within the limit for rent allowance.
        RentAllowance = "rent_allowance",
        /// Within the limit for social housing.
        Social = "social",
        /// Above that.
        Above = "above",
    }
    /// Age of the oldest (R-HOU-06).
    AgeClass {
        /// 18 to 20.
        Under21 = "under_21",
        /// 21 or 22.
        Under23 = "under_23",
        /// 23 or older.
        From23 = "from_23",
    }
    /// A part of the score (R-HOU-08).
    ScorePart {
        /// A wished district.
        Wish = "wish",
        /// A wished kind of home.
        Kind = "kind",
        /// The network.
        Network = "network",
        /// School.
        School = "school",
        /// Work or day activity.
        Work = "work",
        /// The municipality of origin.
        Origin = "origin",
        /// Time in the pool.
        Waiting = "waiting",
        /// Rooms fit the household.
        Fit = "fit",
    }
    /// Who signs (R-HOU-11).
    Party {
        /// The corporation.
        Corporation = "corporation",
        /// The client.
        Client = "client",
        /// The care provider.
        Provider = "provider",
    }
    /// In which capacity (R-HOU-11).
    Capacity {
        /// The client self.
        SelfSigned = "self",
        /// Guardian of finances.
        Guardian = "guardian",
        /// Curator.
        Curator = "curator",
        /// Parent.
        Parent = "parent",
        /// Partner as co-tenant.
        Partner = "partner",
        /// For the organisation.
        Officer = "officer",
    }
    /// Who rents.
    Tenant {
        /// The client.
        Client = "client",
        /// The provider.
        Provider = "provider",
    }
    /// Ground of a temporary lease (R-HOU-13, R-HOU-25).
    TemporaryGround {
        /// From shelter.
        FromShelter = "from_shelter",
        /// Social emergency.
        SocialEmergency = "social_emergency",
    }
    /// On which ground the gate is open (P2).
    GateGround {
        /// Benefit granted, changed or transferred.
        Benefit = "benefit",
        /// Own income verified.
        OwnIncome = "own_income",
        /// Advance with a written expectation.
        Advance = "advance",
        /// Bridging guarantee.
        Guarantee = "guarantee",
        /// Override by the municipality.
        Override = "override",
    }
    /// Why an allocation falls.
    WithdrawalReason {
        /// The client.
        Client = "client",
        /// The corporation.
        Corporation = "corporation",
        /// The dwelling is not available.
        DwellingUnavailable = "dwelling_unavailable",
        /// Income not secured in time.
        IncomeNotSecured = "income_not_secured",
        /// The household changed.
        HouseholdChanged = "household_changed",
        /// The client died.
        Died = "died",
        /// Something else.
        Other = "other",
    }
    /// Why a lease ended.
    LeaseEndReason {
        /// Notice by the tenant.
        Tenant = "tenant",
        /// Notice by the landlord.
        Landlord = "landlord",
        /// Eviction.
        Eviction = "eviction",
        /// End of its term.
        Term = "term",
        /// Moved.
        Moved = "moved",
        /// Died.
        Died = "died",
        /// Something else.
        Other = "other",
    }
    /// Why the agreed number changed (R-HOU-01).
    ContingentChangeReason {
        /// Agreed by both.
        Agreed = "agreed",
        /// A correction.
        Correction = "correction",
        /// The regional pact (R-HOU-02).
        Pact = "pact",
    }
}
