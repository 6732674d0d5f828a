//! Once is enough: replayed and repeated.

use super::*;

/// P3
#[test]
fn every_prefix_replayed_changes_nothing() {
    for road in roads() {
        let events = tell(road);
        for n in 0..=events.len() {
            let mut run = Run::of(&events[..n]);
            let before = run.flow.clone();
            for event in &events[..n] {
                assert_eq!(run.take(event, START), [], "{:?}", event.fact);
            }
            assert_eq!(run.flow, before);
        }
    }
}

/// P3
#[test]
fn every_event_told_thrice_has_one_effect() {
    let events = tell(road());
    let thrice: Vec<_> = events.iter().flat_map(|event| [event.clone(), event.clone(), event.clone()]).collect();
    assert_eq!(Run::of(&thrice).sent, Run::of(&events).sent);
}

/// P3
#[test]
fn each_accepted_home_yields_one_of_each() {
    let run = Run::of(&tell(road()));
    for of in [31, 32].map(allocation) {
        let count = |wanted: fn(&Command) -> Option<&AllocationId>| {
            run.commands().iter().filter(|command| wanted(command) == Some(&of)).count()
        };
        assert_eq!(
            count(|c| if let Command::CompleteBenefitRequest { allocation, .. } = c { Some(allocation) } else { None }),
            1
        );
        assert_eq!(
            count(|c| if let Command::RequestRentGuarantee { allocation, .. } = c { Some(allocation) } else { None }),
            1
        );
        assert_eq!(
            count(|c| if let Command::DraftHandover { allocation, .. } = c { Some(allocation) } else { None }),
            1
        );
    }
}

/// P3
#[test]
fn a_request_id_follows_from_the_event_and_the_step() {
    let events = tell(road());
    let (one, other) = (Run::of(&events).sent, Run::of(&events).sent);
    assert_eq!(one, other);
    let ids: BTreeSet<_> = one.iter().map(|outcome| (&outcome.step, outcome.id)).collect();
    let unique: BTreeSet<_> = ids.iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), unique.len(), "two steps never share an id");
}

#[test]
fn a_flow_survives_being_stored() {
    let (mut stored, mut kept) = (Run::default(), Run::default());
    for event in tell(road()) {
        let json = serde_json::to_string(&stored.flow).unwrap();
        stored.flow = serde_json::from_str(&json).unwrap();
        assert_eq!(stored.take(&event, START), kept.take(&event, START));
    }
}
