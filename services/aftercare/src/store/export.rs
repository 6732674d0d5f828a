//! What of aftercare's tables is about a client, for the client's own export (R-REG-21).

use ::store::Retention::File;
use chassis::{Held, NotHeld, Seal, WithheldGround, held};

/// What is given. Who reported something about a client, and in which words, is not told to the client (R-REG-27).
pub const HELD: &[Held] = &[
    held!(handover, "De overdracht van uw begeleiding", "where t.client_id = $1 order by t.move_on, t.handover_id", {
        Text: handover_id, client_id, allocation_id, from_organisation, to_organisation, municipality, district, move_on,
            state, due_on, warn_on, return_reason, relation_id;
        Number: version;
        Moment: first_filled_at;
        Flag: overdue, assigned;
        Sealed: form, return_note;
    }, seals: &[
        Seal { column: "form", class: Some(File), place: "handover.form", row: &["handover_id"], without: &[] },
        Seal { column: "return_note", class: Some(File), place: "handover.return_note", row: &["handover_id"], without: &[] },
    ]),
    held!(step, "Wat er met uw overdracht, nazorg en signalen gebeurde",
        "where t.subject_id in (select h.handover_id from handover h where h.client_id = $1)
            or t.subject_id in (select a.aftercare_id from aftercare a where a.client_id = $1)
            or t.subject_id in (select s.signal_id from signal s where s.client_id = $1)
         order by t.recorded_at, t.subject_id, t.version, t.what", {
        Text: subject_id, what, due_on, policy_version, occurred_on;
        Number: version;
        Moment: recorded_at;
    }, withheld: &[("organisation", WithheldGround::Reporter)]),
    held!(signalling_plan, "Uw signaleringsplan", "where t.client_id = $1 order by t.version", {
        Text: client_id, recorded_by;
        Number: version;
        Moment: recorded_at;
        Sealed: plan;
    }, seals: &[
        Seal {
            column: "plan", class: Some(File), place: "signalling_plan.plan", row: &["client_id", "version"], without: &[],
        },
    ]),
    held!(aftercare, "Uw nazorg", "where t.client_id = $1 order by t.started_on, t.aftercare_id", {
        Text: aftercare_id, client_id, allocation_id, municipality, started_on, until_on, announce_on, outcome, ended_on,
            next_contact_on, overdue_from, last_contact_on, last_contact_result;
        Number: version, missed;
        Json: reviews;
    }),
    held!(contact, "Contacten met u in de nazorg",
        "where t.aftercare_id in (select a.aftercare_id from aftercare a where a.client_id = $1)
         order by t.recorded_at, t.contact_id", {
        Text: contact_id, aftercare_id, contact_on, result, form, organisation;
        Moment: recorded_at;
    }),
    held!(signal, "Signalen over u", "where t.client_id = $1 order by t.received_at, t.signal_id", {
        Text: signal_id, client_id, municipality, kind, severity, answer_by, night, taken_up_by, state, remind_on, outcome,
            forget_on;
        Number: version, reports;
        Moment: received_at, taken_up_at, caseholder_until;
        Flag: unverified, debt_help_only, guarantee;
    }, withheld: &[
        ("reported_by", WithheldGround::Reporter), ("report", WithheldGround::Reporter),
        ("closing_note", WithheldGround::Reporter),
    ]),
    held!(signal_team, "Bij wie signalen over u binnenkwamen",
        "where t.signal_id in (select s.signal_id from signal s where s.client_id = $1)
         order by t.signal_id, t.organisation", {
        Text: organisation, signal_id;
    }),
    held!(subscription, "Wie bericht krijgt van signalen over u", "where t.client_id = $1 order by t.since, t.organisation", {
        Text: client_id, organisation;
        Moment: since, until;
    }),
    held!(client, "Uw gemeente", "where t.client_id = $1 order by t.client_id", {
        Text: client_id, municipality;
    }),
    held!(debt_help, "Wie u met schulden helpt", "where t.client_id = $1 order by t.relation_id", {
        Text: relation_id, client_id, organisation;
    }),
];

/// Why nothing of the others is: there are no others.
pub const NOT_HELD: &[(&str, NotHeld)] = &[];
