//! The words of a benefit request: what is asked, who signed, and on what grounds.

use serde::{Deserialize, Serialize};

/// What is asked (R-INC-25).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A new benefit.
    New,
    /// A change of a benefit that runs here.
    Change,
    /// A benefit that moves here.
    Transfer,
}

/// Who signed (R-INC-25).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signatory {
    /// The client.
    Client,
    /// The partner, for the household.
    Partner,
    /// The guardian of finances.
    Guardian,
    /// The curator.
    Curator,
    /// A parent.
    Parent,
    /// Somebody with written authority.
    Proxy,
}

/// What may be asked of an applicant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// An identity document.
    Identity,
    /// Bank statements.
    BankStatements,
    /// Who lives in the household.
    Household,
    /// The lease.
    Lease,
    /// Proof of income.
    Income,
    /// Proof of assets.
    Assets,
    /// Something else.
    Other,
}

/// Why an advance is refused: the two grounds of the act (R-INC-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvanceRefusalGround {
    /// No right is evident.
    NoRightEvident,
    /// Data are culpably missing.
    DataCulpablyMissing,
}

/// Why benefit is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalGround {
    /// Income or assets.
    Means,
    /// No right by residence.
    Residence,
    /// What was asked did not come.
    InformationMissing,
    /// Another provision goes before it.
    OtherProvision,
    /// Another municipality decides.
    NotAuthorised,
    /// Another ground, in the letter.
    Other,
}

/// Why benefit starts before the reporting day (R-INC-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetroactiveGround {
    /// The client could not report earlier.
    CouldNotReport,
    /// The client was wrongly advised.
    WronglyAdvised,
    /// It would lead to debts or eviction.
    Hardship,
}

/// Why benefit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Work or own income.
    Work,
    /// Moved to another municipality.
    Moved,
    /// The household changed.
    Household,
    /// The client asked.
    Client,
    /// Information was not given.
    InformationMissing,
    /// The client died.
    Died,
    /// Another reason.
    Other,
}

/// Why a request is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawalReason {
    /// The client no longer wants it.
    Client,
    /// There is other income.
    NotNeeded,
    /// The client died.
    Died,
    /// Entered in error.
    EnteredInError,
}
