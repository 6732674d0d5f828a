//! What of regie's tables is about a client, for the client's own export (R-REG-21).

use ::store::Retention::File;
use chassis::{Held, NotHeld, Seal, WithheldGround, held};

/// What is given.
pub const HELD: &[Held] = &[
    held!(client_case, "Uw dossier bij de regie", "where t.client_id = $1 order by t.opened_at, t.case_id", {
        Text: case_id, client_id, municipality, opened_on, closed_on, close_reason, holder_person, holder_organisation,
            holder_deputy, supervisor_person, supervisor_organisation, plan_adopted_on, guidance, plan_absence_class;
        Number: version, supervisor_changes, plan_edition;
        Moment: opened_at;
        Sealed: plan_absence;
    }, seals: &[
        Seal { column: "plan_absence", class: None, place: "client_case.plan_absence", row: &["case_id"], without: &[] },
    ]),
    held!(assignment, "Wie uw regisseur en begeleider waren",
        "where t.case_id in (select c.case_id from client_case c where c.client_id = $1)
         order by t.recorded_at, t.assignment_id", {
        Text: assignment_id, case_id, kind, person, organisation, deputy, since, reason;
        Moment: recorded_at;
    }),
    held!(goal, "Uw doelen",
        "where t.case_id in (select c.case_id from client_case c where c.client_id = $1) order by t.goal_id", {
        Text: goal_id, case_id, domain, owner, due_on, outcome, decided_on, class;
        Sealed: words;
    }, seals: &[
        Seal { column: "words", class: None, place: "goal.words", row: &["goal_id"], without: &[] },
    ]),
    held!(scoring, "Uw scores op de Zelfredzaamheid-Matrix",
        "where t.case_id in (select c.case_id from client_case c where c.client_id = $1)
         order by t.recorded_at, t.scoring_id", {
        Text: scoring_id, case_id, moment, scored_on;
        Moment: recorded_at;
        Json: levels;
    }),
    held!(consent, "Uw toestemmingen", "where t.client_id = $1 order by t.given_on, t.consent_id", {
        Text: consent_id, client_id, category, receiver, purpose, text_version, given_on, withdrawn_on;
    }),
    held!(secrecy_release, "Van welke geheimhouding u iemand ontheft", "where t.client_id = $1 order by t.given_on, t.release_id", {
        Text: release_id, client_id, organisation, receiver, subject, purpose, text_version, last_day, given_on,
            withdrawn_on;
    }),
    held!(help_agreement, "Met welke hulp u instemt", "where t.client_id = $1 order by t.given_on, t.help_agreement_id", {
        Text: help_agreement_id, client_id, kind, organisation, text_version, given_on, ended_on, ended_by;
        Number: plan_edition;
    }),
    held!(client_relation, "Wie u in de keten kent of kende", "where t.client_id = $1 order by t.since, t.relation_id", {
        Text: relation_id, client_id, organisation, role, kind, subject, since, ended_on;
    }, withheld: &[("person", WithheldGround::Staff)]),
    held!(task, "Wat er voor u te doen is of was", "where t.client_id = $1 and t.kind <> 'keep_apart' order by t.opened_at, t.task_id", {
        Text: task_id, kind, client_id, subject, organisation, role, state, outcome, due_on, warn_on, cause, finished_on;
        Number: version;
        Moment: opened_at;
        Flag: warned, overdue;
    }, withheld: &[("person", WithheldGround::Staff), ("taken_by", WithheldGround::Staff)]),
    held!(readiness, "Of u klaar bent voor een woning", "where t.client_id = $1 order by t.client_id", {
        Text: client_id, since;
        Json: facts, failed;
    }),
    held!(client_move, "Uw verhuizingen", "where t.client_id = $1 order by t.lease_start_on, t.allocation_id", {
        Text: allocation_id, client_id, lease_start_on, gate_ground;
        Flag: signed, fell, landed;
    }),
    held!(gate_word, "Wat de gemeente over uw verhuizing besliste", "where t.client_id = $1 order by t.decided_at, t.word_id", {
        Text: word_id, allocation_id, client_id, reason;
        Moment: decided_at;
        Flag: opens;
        Sealed: explanation;
    }, seals: &[
        Seal { column: "explanation", class: Some(File), place: "gate_word.explanation", row: &["word_id"], without: &[] },
    ], withheld: &[("decided_by", WithheldGround::Staff)]),
    held!(timeline, "Wat er in de keten gebeurde", "where t.client_id = $1 order by t.recorded_at, t.event_id", {
        Text: event_id, client_id, type, occurred_on;
        Moment: recorded_at;
    }),
    held!(aftercare_of, "Bij welke woning uw nazorg hoort",
        "where t.allocation_id in (select m.allocation_id from client_move m where m.client_id = $1)
         order by t.aftercare_id", {
        Text: aftercare_id, allocation_id;
    }),
    held!(erasure, "Uw verzoeken om vernietiging", "where t.client_id = $1 order by t.erasure_id", {
        Text: erasure_id, client_id, requested_on, decide_by, decision, ground, decided_on;
    }, withheld: &[("decided_by", WithheldGround::Staff)]),
    held!(client_representative, "Wie u wettelijk vertegenwoordigt of vertegenwoordigde",
        "where t.client_id = $1 order by t.representative_id", {
        Text: representative_id, client_id, represented_by, ground, from_on, last_day, recorded_on, ended_on;
    }),
    held!(access_request, "Uw verzoeken om inzage", "where t.client_id = $1 order by t.access_request_id", {
        Text: access_request_id, client_id, requested_on, answer_by, checked_on, extension_ground, told_on, answer, ground,
            way, answered_on;
    }, withheld: &[("checked_by", WithheldGround::Staff), ("answered_by", WithheldGround::Staff)]),
    held!(correction, "Uw verzoeken om gegevens te verbeteren", "where t.client_id = $1 order by t.correction_id", {
        Text: correction_id, client_id, concerns, requested_on, answer_by, extension_ground, told_on, outcome, ground,
            decided_on;
        Flag: by_client;
        Sealed: words, explanation;
    }, seals: &[
        Seal { column: "words", class: Some(File), place: "correction.words", row: &["correction_id"], without: &[] },
        Seal {
            column: "explanation",
            class: Some(File),
            place: "correction.explanation",
            row: &["correction_id"],
            without: &[],
        },
    ], withheld: &[("decided_by", WithheldGround::Staff)]),
    held!(provision, "Sinds wanneer u een voorziening had", "where t.client_id = $1 order by t.client_id", {
        Text: client_id, since;
    }),
    held!(keeping, "Besluiten om uw gegevens langer te bewaren", "where t.client_id = $1 order by t.keeping_id", {
        Text: keeping_id, client_id, ground, until_on, decided_on, ended_on;
    }, withheld: &[("decided_by", WithheldGround::Staff), ("ended_by", WithheldGround::Staff)]),
    held!(retention_end, "Bewaartermijnen die voorbij zijn", "where t.client_id = $1 order by t.retention_id", {
        Text: retention_id, client_id, part, ground, last_day, policy_version;
    }),
    held!(emergency, "Wie uw dossier met noodtoegang opende, en waarom", "where t.client_id = $1 order by t.opened_at, t.emergency_id", {
        Text: emergency_id, client_id, organisation, role, reason, review_by, outcome, reviewed_on;
        Moment: opened_at, until_at, ended_at;
        Sealed: explanation, outcome_explanation;
    }, seals: &[
        Seal { column: "explanation", class: Some(File), place: "emergency.explanation", row: &["emergency_id"], without: &[] },
        Seal {
            column: "outcome_explanation",
            class: Some(File),
            place: "emergency.outcome_explanation",
            row: &["emergency_id"],
            without: &[],
        },
    ], withheld: &[("person", WithheldGround::Staff), ("reviewed_by", WithheldGround::Staff)]),
    held!(safe_contact, "Hoe u veilig te bereiken bent of was", "where t.client_id = $1 order by t.since, t.safe_contact_id", {
        Text: safe_contact_id, client_id, through, ground, since, set_by, ended_on;
        Flag: by_client;
    }, withheld: &[("set_by_person", WithheldGround::Staff), ("ended_by_person", WithheldGround::Staff)]),
    held!(client_merge, "Dat dit dossier naar een ander dossier van u verwijst of verwees, en waarom",
        "where t.client_id = $1 order by t.merge_id", {
        Text: merge_id, client_id, kept_client_id, merged_on, merged_by, undone_on;
        Sealed: explanation, undone_explanation;
    }, seals: &[
        Seal { column: "explanation", class: Some(File), place: "client_merge.explanation", row: &["merge_id"], without: &[] },
        Seal {
            column: "undone_explanation",
            class: Some(File),
            place: "client_merge.undone_explanation",
            row: &["merge_id"],
            without: &[],
        },
    ], withheld: &[("merged_by_person", WithheldGround::Staff), ("undone_by_person", WithheldGround::Staff)]),
    held!(client_split, "Dat een dossier over twee personen bleek te gaan",
        "where t.client_id = $1 or t.new_client_id = $1 order by t.split_id", {
        Text: split_id, split_on, split_by;
    }, withheld: &[
        ("client_id", WithheldGround::ThirdParty),
        ("new_client_id", WithheldGround::ThirdParty),
        ("explanation", WithheldGround::ThirdParty),
        ("split_by_person", WithheldGround::Staff),
    ]),
    held!(shield, "Sinds wanneer uw verblijfplaats geheim is", "where t.client_id = $1 order by t.since, t.shield_id", {
        Text: shield_id, client_id, since, shielded_by, ended_on;
    }, withheld: &[("shielded_by_person", WithheldGround::Staff), ("ended_by_person", WithheldGround::Staff)]),
];

/// Why nothing of the others is: what the processes reckon with and ask of the services is given by those services, and may
/// name somebody else (R-REG-26).
pub const NOT_HELD: &[(&str, NotHeld)] =
    &[("flow", NotHeld::Copy), ("outgoing_command", NotHeld::Copy), ("separation", NotHeld::Apart)];
