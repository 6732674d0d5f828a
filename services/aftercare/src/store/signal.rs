//! Signals.

use super::{lost_race, open, seal};
use crate::domain::SignalId;
use crate::domain::signal::{Signal, Stage};
use chassis::{Error, Result, Row, Work, args};
use kernel::{ClientId, Date, Organisation};
use std::collections::BTreeSet;
use store::Retention::Report;
use store::code;

const REPORT: &str = "signal.report";
const NOTE: &str = "signal.closing_note";

/// The columns of a signal, in every query.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select s.signal_id, s.version, s.client_id, s.municipality, s.kind, s.severity, s.unverified, s.reported_by, \
             s.received_at, s.answer_by, s.debt_help_only, s.night, s.reports, s.report, s.closing_note, s.guarantee, \
             s.taken_up_by, s.taken_up_at, s.state, s.caseholder_until, s.remind_on, s.outcome, s.forget_on \
             from signal s ",
            $rest
        )
    };
}

/// One signal and its version.
pub async fn load(work: &mut Work, id: SignalId) -> Result<Option<(Signal, i64)>> {
    let rows = work.rows(select!("where s.signal_id = $1"), args![id.0]).await?;
    Ok(read(work, rows).await?.pop())
}

/// The open signal about a client having nowhere to sleep in that night.
pub async fn tonight(work: &mut Work, client: ClientId, night: Date) -> Result<Option<(Signal, i64)>> {
    let sql = select!("where s.client_id = $1 and s.night = $2 and s.state <> 'closed'");
    let rows = work.rows(sql, args![client, night]).await?;
    Ok(read(work, rows).await?.pop())
}

/// The signals about a client that are not closed.
pub async fn not_closed(work: &mut Work, client: ClientId) -> Result<Vec<(Signal, i64)>> {
    let rows = work.rows(select!("where s.client_id = $1 and s.state <> 'closed'"), args![client]).await?;
    read(work, rows).await
}

/// The signals that reached a team, newest first.
pub async fn of_team(
    work: &mut Work,
    team: &Organisation,
    state: &str,
    before: &str,
    limit: i64,
) -> Result<Vec<(Signal, i64)>> {
    let sql = select!(
        "join signal_team t on t.signal_id = s.signal_id
         where t.organisation = $1 and ($2 = '' or s.state = $2) and ($3 = '' or s.signal_id < $3)
         order by s.signal_id desc limit $4"
    );
    let rows = work.rows(sql, args![team, state, before, limit]).await?;
    read(work, rows).await
}

/// The signals about a client, newest first; with or without those that debt help alone may hear.
pub async fn of_client(
    work: &mut Work,
    client: ClientId,
    all: bool,
    before: &str,
    limit: i64,
) -> Result<Vec<(Signal, i64)>> {
    let sql = select!(
        "where s.client_id = $1 and ($2 or not s.debt_help_only) and ($3 = '' or s.signal_id < $3)
         order by s.signal_id desc limit $4"
    );
    let rows = work.rows(sql, args![client, all, before, limit]).await?;
    read(work, rows).await
}

/// Keeps a signal at its next version; its teams are kept once, with the first.
pub async fn save(work: &mut Work, signal: &Signal, version: i64) -> Result<()> {
    let (id, key) = (signal.id, Report.of(signal.client_id));
    let (mut until, mut remind_on, mut outcome, mut forgotten_on) = (None, None, None, None);
    match &signal.stage {
        Stage::Open | Stage::WithRegie => {}
        Stage::WithCaseholder { until: at } => until = Some(*at),
        Stage::TakenUp { remind_on: on } => remind_on = Some(*on),
        Stage::Closed { outcome: how, forget_on } => {
            outcome = Some(code(how));
            forgotten_on = *forget_on;
        }
    }
    let values = args![
        id.0,
        version,
        signal.client_id,
        signal.municipality.as_ref(),
        code(&signal.kind),
        code(&signal.severity),
        signal.unverified,
        signal.reported_by.as_ref(),
        signal.received_at,
        signal.answer_by,
        signal.debt_help_only,
        signal.night,
        signal.reports,
        seal(work, key, REPORT, id, &signal.text).await?,
        seal(work, key, NOTE, id, &signal.closing_note).await?,
        signal.guarantee,
        signal.taken_up_by(),
        signal.taken_up.as_ref().map(|(_, at)| *at),
        state(&signal.stage),
        until,
        remind_on,
        outcome,
        forgotten_on,
    ];
    work.run(
        "insert into signal (signal_id, version, client_id, municipality, kind, severity, unverified, reported_by,
             received_at, answer_by, debt_help_only, night, reports, report, closing_note, guarantee, taken_up_by,
             taken_up_at, state, caseholder_until, remind_on, outcome, forget_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
         on conflict (signal_id) do update set version = excluded.version, reported_by = excluded.reported_by,
             reports = excluded.reports, report = excluded.report, closing_note = excluded.closing_note,
             guarantee = excluded.guarantee, taken_up_by = excluded.taken_up_by, taken_up_at = excluded.taken_up_at,
             state = excluded.state, caseholder_until = excluded.caseholder_until, remind_on = excluded.remind_on,
             outcome = excluded.outcome, forget_on = excluded.forget_on",
        values,
    )
    .await
    .map_err(lost_race)?;
    if version == 1 {
        let teams = signal.teams.iter().map(|team| args![team, id.0]).collect();
        work.insert_many("insert into signal_team (organisation, signal_id)", teams, "").await?;
    }
    Ok(())
}

/// The state's word, in the database and in requests.
pub fn state(stage: &Stage) -> &'static str {
    match stage {
        Stage::Open => "open",
        Stage::WithCaseholder { .. } => "with_caseholder",
        Stage::WithRegie => "with_regie",
        Stage::TakenUp { .. } => "taken_up",
        Stage::Closed { .. } => "closed",
    }
}

async fn read(work: &mut Work, rows: Vec<Row>) -> Result<Vec<(Signal, i64)>> {
    let mut signals = Vec::with_capacity(rows.len());
    for row in rows {
        let id: SignalId = row.id("signal_id")?;
        let teams = work.rows("select organisation from signal_team where signal_id = $1", args![id.0]).await?;
        let teams = teams.iter().map(|team| team.get("organisation")).collect::<Result<_>>()?;
        signals.push((whole(work, id, &row, teams).await?, row.get("version")?));
    }
    Ok(signals)
}

async fn whole(work: &Work, id: SignalId, row: &Row, teams: BTreeSet<Organisation>) -> Result<Signal> {
    let wrong = |column| move || Error::inconsistent("signal", column, format!("is no whole ({id})"));
    let stage = match row.get::<String>("state")?.as_str() {
        "open" => Stage::Open,
        "with_caseholder" => Stage::WithCaseholder {
            until: row.get::<Option<_>>("caseholder_until")?.ok_or_else(wrong("caseholder_until"))?,
        },
        "with_regie" => Stage::WithRegie,
        "taken_up" => Stage::TakenUp { remind_on: row.get::<Option<_>>("remind_on")?.ok_or_else(wrong("remind_on"))? },
        "closed" => Stage::Closed {
            outcome: row.code_opt("outcome")?.ok_or_else(wrong("outcome"))?,
            forget_on: row.get("forget_on")?,
        },
        _ => return Err(wrong("state")()),
    };
    let taken_up = match (row.get("taken_up_by")?, row.get("taken_up_at")?) {
        (Some(by), Some(at)) => Some((by, at)),
        (None, None) => None,
        _ => return Err(wrong("taken_up_by")()),
    };
    let client_id: ClientId = row.get("client_id")?;
    let key = Report.of(client_id);
    Ok(Signal {
        id,
        client_id,
        municipality: row.get("municipality")?,
        kind: row.code("kind")?,
        severity: row.code("severity")?,
        unverified: row.get("unverified")?,
        reported_by: row.get("reported_by")?,
        received_at: row.get("received_at")?,
        answer_by: row.get("answer_by")?,
        teams,
        debt_help_only: row.get("debt_help_only")?,
        night: row.get("night")?,
        reports: row.get("reports")?,
        text: open(work, key, REPORT, id, row.get("report")?).await?,
        closing_note: open(work, key, NOTE, id, row.get("closing_note")?).await?,
        guarantee: row.get("guarantee")?,
        taken_up,
        stage,
    })
}
