//! Contingents, and what was agreed over time.

use super::{code, code_opt};
use crate::domain::contingent::{CONTINGENT_AGREED_ALREADY, Contingent};
use crate::domain::{Code, ContingentChangeReason, ContingentId};
use chassis::{Page, Result, Row, Work, args};
use kernel::{Date, Municipality, Organisation};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select contingent_id, corporation, municipality, year, target_group, places, drawn, realised, version
             from contingent ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<(Contingent, i64)> {
    let contingent = Contingent {
        id: row.id("contingent_id")?,
        corporation: row.get("corporation")?,
        municipality: row.get("municipality")?,
        year: row.get::<i32>("year")? as i16,
        group: code(row, "target_group")?,
        places: row.get("places")?,
        drawn: row.get("drawn")?,
        realised: row.get("realised")?,
    };
    Ok((contingent, row.get("version")?))
}

/// One contingent with its version.
pub async fn load(work: &mut Work, id: ContingentId) -> Result<Option<(Contingent, i64)>> {
    work.row(select!("where contingent_id = $1"), args![id.0]).await?.as_ref().map(read).transpose()
}

/// The contingents of a corporation in a municipality and year.
pub async fn of_year(
    work: &mut Work,
    corporation: &Organisation,
    municipality: &Municipality,
    year: i16,
) -> Result<Vec<(Contingent, i64)>> {
    let sql = select!("where corporation = $1 and municipality = $2 and year = $3 order by contingent_id");
    let rows = work.rows(sql, args![corporation, municipality, i64::from(year)]).await?;
    rows.iter().map(read).collect()
}

/// A page of contingents, newest year first; of one corporation, or of all.
pub async fn list(
    work: &mut Work,
    corporation: Option<&Organisation>,
    year: i32,
    municipality: &str,
    page: &Page,
) -> Result<(Vec<(Contingent, i64)>, String)> {
    let before: i64 = page.text(0).parse().unwrap_or(i64::MAX);
    let sql = select!(
        "where ($1 = '' or corporation = $1) and ($2 = 0 or year = $2) and ($3 = '' or municipality = $3)
         and (year < $4 or (year = $4 and contingent_id > $5))
         order by year desc, contingent_id limit $6"
    );
    let corporation = corporation.map_or("", Organisation::as_str);
    let rows = work.rows(sql, args![corporation, year, municipality, before, page.text(1), page.limit + 1]).await?;
    let mut found = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let next = page.cut(&mut found, |(contingent, _)| vec![contingent.year.to_string(), contingent.id.to_string()]);
    Ok((found, next))
}

/// A new contingent.
pub async fn insert(work: &mut Work, contingent: &Contingent) -> Result<()> {
    work.run(
        "insert into contingent (contingent_id, corporation, municipality, year, target_group, places, drawn, realised, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 1)",
        args![
            contingent.id.0,
            &contingent.corporation,
            &contingent.municipality,
            i64::from(contingent.year),
            contingent.group.as_str(),
            contingent.places,
            contingent.drawn,
            contingent.realised
        ],
    )
    .await
    .map_err(|error| {
        error.on_unique(
            "contingent_one_per_group",
            "contingent.corporation, contingent.municipality, contingent.year, contingent.target_group",
            CONTINGENT_AGREED_ALREADY.with("places", contingent.places),
        )
    })?;
    keep_change(work, contingent, 1, None).await
}

/// The contingent as it is now.
pub async fn save(work: &mut Work, contingent: &Contingent, version: i64) -> Result<()> {
    work.keep(
        "update contingent set places = $2, drawn = $3, realised = $4, version = $5 where contingent_id = $1",
        args![contingent.id.0, contingent.places, contingent.drawn, contingent.realised, version],
    )
    .await?;
    Ok(())
}

/// Keeps what was agreed at a version.
pub async fn keep_change(
    work: &mut Work,
    contingent: &Contingent,
    version: i64,
    reason: Option<ContingentChangeReason>,
) -> Result<()> {
    let now = work.now;
    work.keep(
        "insert into contingent_change (contingent_id, version, places, reason, changed_on, recorded_at)
         values ($1, $2, $3, $4, $5, $6)",
        args![
            contingent.id.0,
            version,
            contingent.places,
            reason.map(Code::as_str).map(str::to_owned),
            now.date,
            now.at
        ],
    )
    .await?;
    Ok(())
}

/// What was agreed over time, oldest first.
pub async fn changes(work: &mut Work, id: ContingentId) -> Result<Vec<(u32, Option<ContingentChangeReason>, Date)>> {
    let sql = "select places, reason, changed_on from contingent_change where contingent_id = $1 order by version";
    let rows = work.rows(sql, args![id.0]).await?;
    rows.iter().map(|row| Ok((row.get("places")?, code_opt(row, "reason")?, row.get("changed_on")?))).collect()
}
