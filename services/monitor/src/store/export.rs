//! What of the monitor's tables is about a client, for the client's own export (R-REG-21): facts under the pseudonym that is
//! made of the client's id, as the generation that gives the figures has them.

use chassis::{Held, NotHeld, held};

/// What is given.
pub const HELD: &[Held] = &[
    held!(registration, "Meldingen die meetellen in cijfers",
        "where t.person = $1 and t.generation in (select g.generation from generation g where g.state = 'serving')
         order by t.received_on, t.notification_id", {
        Text: notification_id, person, received_on, municipality;
        Number: generation;
        Json: origin, triggers;
    }),
    held!(trajectory, "Trajecten die meetellen in cijfers",
        "where t.generation in (select g.generation from generation g where g.state = 'serving')
           and t.notification_id in (select r.notification_id from registration r where r.person = $1)
         order by t.stay_id", {
        Text: stay_id, notification_id;
        Number: generation;
    }),
    held!(departure, "Uw vertrek uit de opvang, zoals het meetelt in cijfers",
        "where t.person = $1 and t.generation in (select g.generation from generation g where g.state = 'serving')
         order by t.departed_on, t.stay_id", {
        Text: stay_id, person, admitted_on, departed_on, destination;
        Number: generation;
    }),
    held!(bed_night, "Nachten die meetellen in cijfers",
        "where t.person = $1 and t.generation in (select g.generation from generation g where g.state = 'serving')
         order by t.night, t.facility_id, t.stay_id", {
        Text: facility_id, night, stay_id, person;
        Number: generation;
    }),
    held!(waiting_admitted, "Wachten dat meetelt in cijfers",
        "where t.person = $1 and t.generation in (select g.generation from generation g where g.state = 'serving')
         order by t.admitted_on, t.entry_id", {
        Text: entry_id, person, admitted_on;
        Number: generation;
    }),
    held!(signal_answer, "Antwoorden op signalen die meetellen in cijfers",
        "where t.person = $1 and t.generation in (select g.generation from generation g where g.state = 'serving')
         order by t.answered_on, t.event_id", {
        Text: event_id, signal_id, person, answered_on;
        Number: generation, minutes;
    }),
    held!(handover_step, "Overdrachten die meetellen in cijfers",
        "where t.person = $1 and t.generation in (select g.generation from generation g where g.state = 'serving')
         order by t.stepped_on, t.event_id", {
        Text: event_id, handover_id, person, step, stepped_on;
        Number: generation;
    }),
];

/// Why nothing of the others is.
pub const NOT_HELD: &[(&str, NotHeld)] = &[
    ("generation", NotHeld::Nobody),
    ("register", NotHeld::Nobody),
    // The entry is access's; who it was is told by the row of the admission.
    ("waiting_joined", NotHeld::Copy),
];
