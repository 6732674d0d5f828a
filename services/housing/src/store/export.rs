//! What of housing's tables is about a client, for the client's own export (R-REG-21).

use ::store::Retention::File;
use chassis::{Held, NotHeld, SHIELD, Seal, WithheldGround, held};

/// What is given.
pub const HELD: &[Held] = &[
    held!(readiness, "Of u klaar bent voor een woning", "where t.client_id = $1 order by t.client_id", {
        Text: client_id, since;
        Flag: ready;
        Json: failed;
    }),
    held!(nomination, "Uw voordrachten voor een woning", "where t.client_id = $1 order by t.nominated_on, t.nomination_id", {
        Text: nomination_id, client_id, municipality, target_group, nominated_by, provider, nominated_on, age_class, state,
            allocation_id;
        Number: adults, children, version;
        Flag: guarantee_required;
        Json: income, wishes;
    }),
    held!(offer, "Woningen die u zijn aangeboden", "where t.client_id = $1 order by t.offered_on, t.offer_id", {
        Text: offer_id, dwelling_id, nomination_id, client_id, corporation, provider, municipality, age_class,
            income_tested_on, lease_start_on, offered_on, answer_until, policy_version, state, reason;
        Number: rent_cents, adults, children, place, version;
        Flag: guarantee_required, client_accepted, corporation_accepted, upheld, dwelling_taken;
        Json: income, parts, deviation;
    }, withheld: &[("decided_by", WithheldGround::Staff)]),
    held!(evidence, "Waar uw eigen woord te vinden is",
        "where t.subject in (select o.offer_id from offer o where o.client_id = $1)
            or t.subject in (select a.allocation_id from allocation a where a.client_id = $1)
         order by t.recorded_at, t.subject, t.what", {
        Text: subject, what;
        Moment: recorded_at;
        Sealed: document;
    }, seals: &[
        Seal { column: "document", class: Some(File), place: "evidence.document", row: &["subject", "what"], without: &[] },
    ], withheld: &[("given_by", WithheldGround::Staff)]),
    held!(allocation, "Woningen die u zijn toegewezen", "where t.client_id = $1 order by t.accepted_at, t.allocation_id", {
        Text: allocation_id, offer_id, nomination_id, dwelling_id, client_id, corporation, provider, municipality,
            neighbourhood, contingent_id, form, lease_start_on, accepted_on, state, reason, keys_on, ended_on;
        Number: rent_cents, version;
        Moment: accepted_at;
        Flag: guarantee_required;
        Json: suitability, agreement, gate;
    }),
    SHIELD,
];

/// Why nothing of the others is.
pub const NOT_HELD: &[(&str, NotHeld)] = &[
    ("contingent", NotHeld::Nobody),
    ("contingent_change", NotHeld::Nobody),
    ("dwelling", NotHeld::Nobody),
    ("separation", NotHeld::Apart),
];
