//! The sets of rows.

use crate::domain::generation::{Event, Outcome, Report, State};
use chassis::{Error, Result, Row, Tx, args};
use kernel::Moment;

/// Which set is served, and whether another one is being filled.
pub async fn state(tx: &mut Tx) -> Result<State> {
    let rows = tx
        .rows("select generation, state, started_at from generation where state in ('serving', 'building') order by state", args![])
        .await?;
    let number = |row: &Row| row.get::<i64>("generation");
    match rows.as_slice() {
        [serving] => Ok(State::Serving { serving: number(serving)? }),
        [building, serving] => Ok(State::Rebuilding {
            serving: number(serving)?,
            building: number(building)?,
            since: Moment::of(building.get("started_at")?),
        }),
        _ => Err(Error::inconsistent("generation", "state", "no set of rows is served")),
    }
}

/// The sets into which a fact goes: the one that is served, and the one that is being filled.
pub async fn open(tx: &mut Tx) -> Result<Vec<i64>> {
    Ok(match state(tx).await? {
        State::Serving { serving } => vec![serving],
        State::Rebuilding { serving, building, .. } => vec![serving, building],
    })
}

/// The number of the next set.
pub async fn next(tx: &mut Tx) -> Result<i64> {
    let row = tx.row("select max(generation) + 1 as next from generation", args![]).await?;
    row.map_or(Ok(1), |row| row.get("next"))
}

/// What became of a set.
pub async fn outcome(tx: &mut Tx, generation: i64) -> Result<Outcome> {
    let row = tx
        .row("select state, events, identical, digest from generation where generation = $1", args![generation])
        .await?
        .ok_or_else(|| Error::inconsistent("generation", "generation", "a rebuild that was answered is gone"))?;
    Ok(match row.get::<String>("state")?.as_str() {
        "building" => Outcome::Building,
        "abandoned" => Outcome::Abandoned,
        _ => Outcome::Served(Report {
            events: row.get("events")?,
            identical: row.get("identical")?,
            digest: row.get("digest")?,
        }),
    })
}

/// Keeps what happened to the sets; rows of a set that is gone go too.
pub async fn save(tx: &mut Tx, event: &Event, report: Option<&Report>) -> Result<()> {
    match *event {
        Event::Started { building, since } => {
            tx.keep(
                "insert into generation (generation, state, started_at) values ($1, 'building', $2)",
                args![building, since.at],
            )
            .await?;
        }
        Event::Finished { serving } => {
            let former = tx.row("select generation from generation where state = 'serving'", args![]).await?;
            tx.keep("update generation set state = 'retired' where state = 'serving'", args![]).await?;
            tx.keep(
                "update generation set state = 'serving', events = $2, identical = $3, digest = $4 where generation = $1",
                args![
                    serving,
                    report.map(|r| r.events),
                    report.map(|r| r.identical),
                    report.map(|r| r.digest.clone())
                ],
            )
            .await?;
            if let Some(former) = former {
                super::fact::forget(tx, former.get("generation")?).await?;
            }
        }
        Event::Abandoned { building } => {
            tx.keep("update generation set state = 'abandoned' where generation = $1", args![building]).await?;
            super::fact::forget(tx, building).await?;
        }
    }
    Ok(())
}
