//! Codes between the wire and the domain.

use crate::domain::{benefit_request, own_income, rent_guarantee};
use kernel::{Refusal, general};
use proto::income::v1 as pb;

/// A code that goes over the wire.
pub trait Word: Sized {
    /// Its code on the wire.
    type Wire: Into<i32>;

    /// The code on the wire.
    fn wire(self) -> Self::Wire;

    /// Reads the code; unset and unknown are refused with the field's path.
    fn read(field: &'static str, code: i32) -> Result<Self, Refusal>;

    /// Reads the code where unset means none.
    fn read_opt(field: &'static str, code: i32) -> Result<Option<Self>, Refusal> {
        if code == 0 { Ok(None) } else { Self::read(field, code).map(Some) }
    }
}

macro_rules! words {
    ($($module:ident :: $domain:ident <=> $wire:ident { $($variant:ident)* })*) => { $(
        impl Word for $module::$domain {
            type Wire = pb::$wire;

            fn wire(self) -> pb::$wire {
                match self { $($module::$domain::$variant => pb::$wire::$variant,)* }
            }

            fn read(field: &'static str, code: i32) -> Result<Self, Refusal> {
                match pb::$wire::try_from(code) {
                    $(Ok(pb::$wire::$variant) => Ok($module::$domain::$variant),)*
                    _ => Err(general::MALFORMED.field(field, "is not one of the codes", "is niet een van de codes")),
                }
            }
        }
    )* };
}

words! {
    benefit_request::Stage <=> BenefitRequestState {
        Reported Prepared Applied Acknowledged AwaitingInformation Granted Refused InPayment Ended Withdrawn
    }
    benefit_request::Kind <=> BenefitRequestKind { New Change Transfer }
    benefit_request::Signatory <=> Signatory { Client Partner Guardian Curator Parent Proxy }
    benefit_request::Item <=> InformationItem { Identity BankStatements Household Lease Income Assets Other }
    benefit_request::AdvanceRefusalGround <=> AdvanceRefusalGround { NoRightEvident DataCulpablyMissing }
    benefit_request::RefusalGround <=> BenefitRefusalGround {
        Means Residence InformationMissing OtherProvision NotAuthorised Other
    }
    benefit_request::RetroactiveGround <=> RetroactiveGround { CouldNotReport WronglyAdvised Hardship }
    benefit_request::EndReason <=> BenefitEndReason { Work Moved Household Client InformationMissing Died Other }
    benefit_request::WithdrawalReason <=> BenefitWithdrawalReason { Client NotNeeded Died EnteredInError }
    own_income::Kind <=> OwnIncomeKind { Wages Uwv Svb Pension Study Other }
    rent_guarantee::Reason <=> RentGuaranteeReason { DebtsBlockLease FormerArrears IncomeGap NoRentalHistory }
    rent_guarantee::RefusalGround <=> RentGuaranteeRefusalGround { NotNeeded RiskTooHigh NoBudget Other }
}
