//! What of income's tables is about a client, for the client's own export (R-REG-21).

use chassis::{Held, NotHeld, WithheldGround, held};

/// What is given.
pub const HELD: &[Held] = &[
    held!(benefit_request, "Uw aanvragen om bijstand", "where t.client_id = $1 order by t.reported_on, t.benefit_request_id", {
        Text: benefit_request_id, client_id, state, authority, reported_on, running_at, ended_on, refusal, withdrawn,
            due_on, policy_version;
        Number: version, advances_cents;
        Flag: short_reapplication, prepared;
        Json: search_term, circumstances, application, benefit;
    }, withheld: &[("partner_id", WithheldGround::ThirdParty)]),
    held!(benefit_start, "Vanaf wanneer uw bijstand zou lopen",
        "where t.benefit_request_id in (select b.benefit_request_id from benefit_request b where b.client_id = $1)
         order by t.lease_start_on, t.allocation_id", {
        Text: allocation_id, benefit_request_id, state, lease_start_on, start_on, authority_before;
        Number: rent_cents;
    }),
    held!(own_income, "Uw eigen inkomen", "where t.client_id = $1 order by t.client_id", {
        Text: client_id, kind, from_on, ends_on, verified_by;
        Number: version;
        Flag: warned;
    }),
    held!(finances, "Of uw geldzaken op orde zijn", "where t.client_id = $1 order by t.client_id", {
        Text: client_id, stabilised_since, stated_by;
        Number: version;
    }),
    held!(rent_guarantee, "Garanties voor uw huur", "where t.client_id = $1 order by t.asked_on, t.guarantee_id", {
        Text: guarantee_id, allocation_id, client_id, corporation, municipality, lease_start_on, asked_on, state, ends_on,
            reason, refusal, policy_version;
        Number: version, rent_cents, cap_cents;
        Flag: told, bridging;
    }),
];

/// Why nothing of the others is: there are no others.
pub const NOT_HELD: &[(&str, NotHeld)] = &[];
