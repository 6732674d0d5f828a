//! The commands that wait for other services.

use crate::domain::process::Command;
use chassis::{Result, TraceContext, Tx, Work, args};
use kernel::{ClientId, Uuid};

/// What keeps its order: the commands of one client to one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Whom they are about.
    pub client: ClientId,
    /// Who carries them out.
    pub service: String,
}

/// A command that waits.
pub struct Waiting {
    /// Its id, which is the request id of the call.
    pub id: Uuid,
    /// The step of the process that wants it.
    pub step: String,
    /// What is asked.
    pub command: Command,
    /// The trace that it belongs to.
    pub trace: TraceContext,
}

/// Adds a command as the last of its client; one that is there already stays where it is.
pub async fn queue(work: &mut Work, client: ClientId, id: Uuid, step: &str, command: &Command) -> Result<()> {
    let (now, trace) = (work.now.at, work.trace.to_string());
    work.keep(
        "insert into outgoing_command (command_id, client_id, place, step, command, state, queued_at, trace, service)
         select $1, $2, coalesce(max(place), 0) + 1, $3, $4, 'waiting', cast($5 as bigint), cast($6 as text),
                cast($7 as text)
         from outgoing_command where client_id = $2
         on conflict (command_id) do nothing",
        args![id, client, step, ::store::json(command), now, trace, command.service()],
    )
    .await
}

/// Makes a refused command wait again, as the last of its client.
pub async fn repeat(work: &mut Work, client: ClientId, id: Uuid) -> Result<()> {
    work.keep(
        "update outgoing_command
         set state = 'waiting', refusal = null,
             place = (select max(o.place) + 1 from outgoing_command o where o.client_id = $2)
         where command_id = $1 and state = 'refused'",
        args![id, client],
    )
    .await
}

/// Keeps that a command was carried out, or by which reason it was refused.
pub async fn settle(work: &mut Work, id: Uuid, refusal: Option<&str>) -> Result<()> {
    let state = if refusal.is_some() { "refused" } else { "done" };
    work.keep(
        "update outgoing_command set state = $2, refusal = $3 where command_id = $1 and state = 'waiting'",
        args![id, state, refusal],
    )
    .await
}

/// How many commands wait.
pub async fn waiting(tx: &mut Tx) -> Result<i64> {
    let row = tx.row("select count(*) as n from outgoing_command where state = 'waiting'", args![]).await?;
    row.map_or(Ok(0), |row| row.get("n"))
}

/// The lanes in which commands wait.
pub async fn lanes(tx: &mut Tx) -> Result<Vec<Lane>> {
    let rows =
        tx.rows("select distinct client_id, service from outgoing_command where state = 'waiting'", args![]).await?;
    rows.iter().map(|row| Ok(Lane { client: row.get("client_id")?, service: row.get("service")? })).collect()
}

/// The next command of a lane.
pub async fn head(tx: &mut Tx, lane: &Lane) -> Result<Option<Waiting>> {
    let row = tx
        .row(
            "select command_id, step, command, trace from outgoing_command
             where client_id = $1 and service = $2 and state = 'waiting' order by place limit 1",
            args![lane.client, lane.service.as_str()],
        )
        .await?;
    row.map(|row| {
        let trace: String = row.get("trace")?;
        Ok(Waiting {
            id: row.get("command_id")?,
            step: row.get("step")?,
            command: row.json("command")?,
            trace: TraceContext::from_header(Some(&trace)),
        })
    })
    .transpose()
}
