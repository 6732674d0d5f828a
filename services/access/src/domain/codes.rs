//! Coded words. The text of a code is the same in the database and, in capitals, in the contract.

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal, $about:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $(#[doc = $about] #[serde(rename = $code)] $variant,)* }

        impl $name {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as text.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The word with that code, if there is one.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

pub(crate) use codes;

codes! {
    /// Why somebody lost the roof (R-MON-06).
    Trigger {
        RentArrears = "rent_arrears", "Rent arrears or other debts.";
        BreakUp = "break_up", "A relationship ended.";
        EarlierCareStopped = "earlier_care_stopped", "Lack of motivation in earlier care.";
        Nuisance = "nuisance", "Causing nuisance.";
        AfterDetention = "after_detention", "No home after detention.";
        FromAbroad = "from_abroad", "Return from abroad.";
        Cannabis = "cannabis", "Eviction for growing cannabis.";
        Other = "other", "Something else.";
        Unknown = "unknown", "Not known.";
    }
}
codes! {
    /// What sort of place a facility is (R-ACC-18).
    FacilityKind {
        NightShelter = "night_shelter", "A bed for the night.";
        CrisisShelter = "crisis_shelter", "Crisis shelter.";
        DayShelter = "day_shelter", "By day only.";
        StartBed = "start_bed", "Start bed for new clients (R-ACC-16).";
        TrajectoryBed = "trajectory_bed", "Trajectory bed (R-ACC-17).";
        CrisisDwelling = "crisis_dwelling", "Crisis dwelling.";
        Intermediate = "intermediate", "Intermediate facility.";
        WomensShelter = "womens_shelter", "Women's shelter (R-REG-18).";
    }
}
codes! {
    /// Whom a facility is for (R-ACC-21, R-ACC-23).
    Audience {
        Adults = "adults", "Adults.";
        Women = "women", "Women.";
        Youth = "youth", "Young people of 16 to 27.";
        Families = "families", "Families with children.";
        ViolenceVictims = "violence_victims", "Victims of violence.";
    }
}
codes! {
    /// Whether a facility needs an application and a decision (R-ACC-08).
    Provision {
        General = "general", "No application or decision clock.";
        Individual = "individual", "Needs a decision, an urgent provision or a claim.";
    }
}
codes! {
    /// How an intake ended (R-ACC-26).
    IntakeResult {
        Shelter = "shelter", "Shelter.";
        OtherProvision = "other_provision", "Another provision.";
        ReferralUpstream = "referral_upstream", "Referred upstream.";
        Transfer = "transfer", "Transfer to another municipality.";
        Withdrawn = "withdrawn", "The client withdrew.";
        Refused = "refused", "Refused.";
    }
}
codes! {
    /// The grounds on which something may be refused; no ties (R-ACC-02) and no target group (R-ACC-29) among them.
    RefusalGround {
        HasHome = "has_home", "Has not left home.";
        OwnStrength = "own_strength", "Can cope by own strength or network.";
        OtherProvisionSuffices = "other_provision_suffices", "A general or other provision is enough.";
        NoRight = "no_right", "No right under the Wmo (R-ACC-30).";
    }
}
codes! {
    /// Why something asked was cancelled or withdrawn.
    CancelReason {
        ByClient = "by_client", "The client asked so.";
        NoShow = "no_show", "The client did not come.";
        Rescheduled = "rescheduled", "Another moment was agreed.";
        Solved = "solved", "Solved otherwise.";
        Mistake = "mistake", "Recorded by mistake.";
        Died = "died", "The client died.";
    }
}
codes! {
    /// For whom the length of a decision is set (R-ACC-19, R-ACC-21).
    TargetGroup {
        Classic = "classic", "Long psychiatric or addiction problems.";
        Economic = "economic", "Economically homeless.";
        Youth = "youth", "Youth.";
        Family = "family", "Family.";
        Woman = "woman", "Woman without violence risk.";
        ViolenceVictim = "violence_victim", "Victim of violence.";
    }
}
codes! {
    /// Why a decision has another length than its group's (R-ACC-19).
    DeviationReason {
        ShorterNeed = "shorter_need", "A shorter need is foreseen.";
        LongerNeed = "longer_need", "A longer need is foreseen.";
        ClientWish = "client_wish", "The client asked so.";
    }
}
codes! {
    /// Why a decision was extended (R-ACC-20).
    ExtensionReason {
        NoOnwardPlace = "no_onward_place", "Outflow failed for lack of onward places.";
        CareNeed = "care_need", "The need for guidance continues.";
        Other = "other", "Another reason.";
    }
}
codes! {
    /// Why a decision ended.
    DecisionEndReason {
        Expired = "expired", "Its last day passed.";
        Housed = "housed", "The client has a home.";
        ByClient = "by_client", "The client asked so.";
        MovedAway = "moved_away", "Another municipality took over.";
        NoLongerNeeded = "no_longer_needed", "No longer needed.";
        Died = "died", "The client died.";
    }
}
codes! {
    /// Why somebody left a waiting list.
    WaitingLeaveReason {
        Admitted = "admitted", "Admitted to that facility.";
        ByClient = "by_client", "The client asked so.";
        PlacedElsewhere = "placed_elsewhere", "Placed elsewhere.";
        NoContact = "no_contact", "Could not be reached.";
        Mistake = "mistake", "Recorded by mistake.";
        Died = "died", "The client died.";
    }
}
codes! {
    /// On what capacity somebody is placed (R-ACC-24).
    PlaceLevel {
        Regular = "regular", "A regular place.";
        Reserve = "reserve", "A reserve place.";
        OverCapacity = "over_capacity", "Over capacity.";
    }
}
codes! {
    /// What became of a bed in a night (R-ACC-32).
    NightUse {
        Used = "used", "Slept in.";
        Held = "held", "Kept free for this client.";
        Released = "released", "Not slept in and not kept.";
    }
}
codes! {
    /// Why a bed is held (R-ACC-32).
    HoldReason {
        Hospital = "hospital", "Hospital or clinic.";
        Detention = "detention", "Detention.";
        Leave = "leave", "Agreed leave.";
        NoShow = "no_show", "No show, within the policy.";
    }
}
codes! {
    /// Where somebody went who left.
    Destination {
        OwnHome = "own_home", "An own home.";
        FamilyOrFriends = "family_or_friends", "With family or friends.";
        ProtectedLiving = "protected_living", "Protected living.";
        OtherShelter = "other_shelter", "Another shelter.";
        Treatment = "treatment", "A clinic or nursing home.";
        OtherMunicipality = "other_municipality", "Shelter in another municipality.";
        Abroad = "abroad", "Abroad.";
        Detention = "detention", "Detention.";
        Other = "other", "Another known destination.";
    }
}
codes! {
    /// Why a stay broke off.
    DropOutReason {
        StayedAway = "stayed_away", "Stayed away.";
        LeftUnplanned = "left_unplanned", "Left without a plan.";
        Rules = "rules", "Breach of house rules.";
        Unknown = "unknown", "Not known.";
    }
}
codes! {
    /// Why a claimed place was given back.
    ClaimReleaseReason {
        Admitted = "admitted", "The client was admitted.";
        NotNeeded = "not_needed", "The client sleeps elsewhere.";
        Lapsed = "lapsed", "Nobody came.";
        Died = "died", "The client died.";
    }
}
codes! {
    /// What somebody in the household is to the client (R-ACC-28).
    MemberRole {
        Partner = "partner", "Partner.";
        Child = "child", "Child.";
        Parent = "parent", "Parent.";
        Other = "other", "Somebody else.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for code in Destination::ALL {
            assert_eq!(Destination::from_code(code.as_str()), Some(*code));
        }
        assert_eq!(Destination::from_code("the_street"), None);
    }
}
