//! `doorstroom watch`: the feed of a service, live, one JSON object per line.

use crate::call::To;
use crate::{dynamic, refusal};
use clap::Args;
use serde_json::json;

/// Follows the feed of a service: what happened, and then whatever happens next.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  doorstroom watch housing --role corporation\n  \
    doorstroom watch aftercare --signals --role district --organisation wijkteam-west")]
pub struct Watch {
    /// The service: access, housing, income, aftercare, regie or monitor
    service: String,
    /// Only signals (for a team: watch aftercare --signals)
    #[arg(long)]
    signals: bool,
    /// Only this type of event, for instance nl.doorstroom.housing.offer-made; may be repeated
    #[arg(long = "type")]
    types: Vec<String>,
    /// Only what is about this client
    #[arg(long = "about")]
    about: Option<String>,
    /// Start after this cursor; from the oldest event when left out
    #[arg(long)]
    cursor: Option<String>,
    /// Resume where this subscription was acknowledged, and acknowledge what is shown
    #[arg(long)]
    subscription: Option<String>,
    #[command(flatten)]
    to: To,
}

/// The types of event that tell of a signal.
const SIGNALS: [&str; 5] = ["received", "taken-up", "still-open", "closed", "escalated"];

/// Runs `doorstroom watch` until it is interrupted; false when it was refused.
pub async fn run(watch: &Watch) -> anyhow::Result<bool> {
    let mut types = watch.types.clone();
    if watch.signals {
        types.extend(SIGNALS.map(|what| format!("nl.doorstroom.aftercare.signal-{what}")));
    }
    let subscribe = dynamic::method("FeedService/Subscribe")?;
    let acknowledge = dynamic::method("FeedService/Acknowledge")?;
    let channel = watch.to.channel(&watch.service)?;
    let wanted = json!({
        "subscription": watch.subscription.clone().unwrap_or_default(),
        "cursor": watch.cursor.clone().unwrap_or_default(),
        "types": types,
        "client_id": watch.about.clone().unwrap_or_default(),
    });
    let follow = async {
        let request = watch.to.sign(&subscribe, dynamic::read(&subscribe.input(), wanted)?)?;
        let mut events = dynamic::call(channel.clone(), &subscribe, request).await?;
        while let Some(event) = events.message().await? {
            let shown = dynamic::show(&event)?;
            println!("{shown}");
            if let Some(subscription) = &watch.subscription {
                let done = json!({ "subscription": subscription, "cursor": shown["cursor"] });
                let request = watch.to.sign(&acknowledge, dynamic::read(&acknowledge.input(), done)?)?;
                dynamic::call(channel.clone(), &acknowledge, request).await?.message().await?;
            }
        }
        anyhow::Ok(())
    };
    let outcome = tokio::select! {
        outcome = follow => outcome,
        () = telemetry::shutdown_signal() => Ok(()),
    };
    match outcome {
        Ok(()) => Ok(true),
        Err(error) => match error.downcast::<tonic::Status>() {
            Ok(status) => {
                eprintln!("{}", refusal::explain(&status));
                Ok(false)
            }
            Err(error) => Err(error),
        },
    }
}
