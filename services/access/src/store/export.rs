//! What of access's tables is about a client, for the client's own export (R-REG-21).

use ::store::Retention::File;
use chassis::{Held, NotHeld, SHIELD, Seal, WithheldGround, held};

/// What is given.
pub const HELD: &[Held] = &[
    held!(client, "Wie u bent", "where t.client_id = $1 order by t.client_id", {
        Text: client_id, municipality, registered_by, died_on;
        Number: version;
        Moment: registered_at;
        Sealed: identity;
    }, seals: &[
        Seal { column: "identity", class: Some(File), place: "client.identity", row: &["client_id"], without: &[] },
    ], withheld: &[("bsn_hash", WithheldGround::Security)]),
    held!(household, "Uw huishouden", "where t.client_id = $1 order by t.set_no", {
        Text: client_id, from_on;
        Number: set_no;
        Moment: recorded_at;
        Sealed: members;
    }, seals: &[
        Seal {
            column: "members", class: Some(File), place: "household.members", row: &["client_id", "set_no"],
            without: &["client_id"],
        },
    ]),
    held!(notification, "Uw meldingen", "where t.client_id = $1 order by t.received_at, t.notification_id", {
        Text: notification_id, client_id, municipality, received_on, investigation_due_on, urgent, urgent_facility_id,
            urgent_ground, withdrawn;
        Number: version;
        Moment: received_at;
        Flag: used_shelter_before, told_of_personal_plan, told_of_client_support, investigated;
        Json: origin, triggers;
    }, withheld: &[("notified_by", WithheldGround::Reporter)]),
    held!(intake, "Uw intakes", "where t.client_id = $1 order by t.planned_on, t.intake_id", {
        Text: intake_id, notification_id, client_id, planned_on, state, cancel_reason, result, receiver, ground,
            completed_on;
        Number: version;
        Flag: integrated;
    }),
    held!(application, "Uw aanvragen", "where t.client_id = $1 order by t.received_on, t.application_id", {
        Text: application_id, notification_id, client_id, received_on, due_on, stage, withdrawn;
        Number: version;
    }),
    held!(decision, "De beslissingen op uw aanvragen", "where t.client_id = $1 order by t.starts_on, t.decision_id", {
        Text: decision_id, application_id, client_id, starts_on, ends_on, target_group, deviation, ended, ground,
            policy_version;
        Number: version;
        Flag: late;
    }),
    held!(stay, "Uw verblijf in de opvang", "where t.client_id = $1 order by t.admitted_on, t.stay_id", {
        Text: stay_id, client_id, facility_id, notification_id, admitted_on, level, trajectory_on, state, departed_on,
            reason;
        Number: version, nights_used;
    }),
    held!(night, "Uw nachten in de opvang", "where t.client_id = $1 order by t.night, t.facility_id, t.stay_id", {
        Text: facility_id, night, stay_id, client_id, used, hold_reason, held_until;
    }),
    held!(waiting_entry, "Uw plaats op wachtlijsten", "where t.client_id = $1 order by t.joined_on, t.entry_id", {
        Text: entry_id, client_id, facility_id, joined_on, state, left_on, left_reason;
        Number: version;
    }),
    held!(waiting_fact, "Wanneer u op een wachtlijst kwam of ervan afging",
        "where t.client_id = $1 order by t.recorded_at, t.entry_id, t.joined", {
        Text: entry_id, facility_id, client_id, occurred_on;
        Moment: recorded_at;
        Flag: joined;
    }),
    held!(place_claim, "Plaatsen die voor u zijn vastgehouden", "where t.client_id = $1 order by t.claimed_on, t.claim_id", {
        Text: claim_id, client_id, facility_id, signal_id, level, claimed_on, until_on, state, released_reason;
        Number: version;
        Flag: without_procedure;
    }),
    SHIELD,
];

/// Why nothing of the others is.
pub const NOT_HELD: &[(&str, NotHeld)] = &[
    ("facility", NotHeld::Nobody),
    ("capacity", NotHeld::Nobody),
    ("night_register", NotHeld::Nobody),
    ("separation", NotHeld::Apart),
];
