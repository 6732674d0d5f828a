//! A refusal is an answer, not a failure: it names the rule, says why in plain words, and what would make the call pass.
//!
//! Every reason is a constant beside the rule that it guards, made by [`reasons!`](crate::reasons); together they are the
//! error catalogue. `shared/proto` holds the one road from a refusal to a gRPC status.

/// What sort of answer a reason is; decides the gRPC code and the details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A rule of the field says no (`FAILED_PRECONDITION`).
    Rule,
    /// A field is malformed or out of range (`INVALID_ARGUMENT`, a path per field).
    Malformed,
    /// No such thing, or nothing that the caller may know of (`NOT_FOUND`).
    NotFound,
    /// Not this caller's to do (`PERMISSION_DENIED`).
    Denied,
    /// No valid token (`UNAUTHENTICATED`).
    Unauthenticated,
    /// It exists already (`ALREADY_EXISTS`).
    Taken,
    /// The caller looked at an older version (`ABORTED`).
    Stale,
    /// A cursor or page is no longer there (`OUT_OF_RANGE`).
    OutOfRange,
    /// Too much at once (`RESOURCE_EXHAUSTED`).
    Quota,
    /// The caller no longer waits for the answer (`DEADLINE_EXCEEDED`).
    Late,
    /// Something that is needed is away for now (`UNAVAILABLE`).
    Away,
    /// Our mistake (`INTERNAL`, with a reference that finds the log line).
    Fault,
}

/// Why something is refused. `{name}` in a text is filled from the refusal's facts.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// The name in `doorstroom.error.v1.Reason`, without its prefix.
    pub code: &'static str,
    /// The rule id, or a promise ("P1"), or "-" where it is plain good manners.
    pub rule: &'static str,
    /// What sort of answer it is.
    pub kind: Kind,
    /// Why, in English.
    pub en: &'static str,
    /// Why, in Dutch.
    pub nl: &'static str,
    /// What would make it pass, in English.
    pub way_out: &'static str,
    /// What would make it pass, in Dutch.
    pub uitweg: &'static str,
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field in the request.
    pub path: String,
    /// What is wrong with it, in English.
    pub en: String,
    /// What is wrong with it, in Dutch.
    pub nl: String,
}

/// A reason with the facts of this case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: &'static Reason,
    /// Names and values that the texts refer to; they hold no personal data.
    pub facts: Vec<(&'static str, String)>,
    /// The fields that are wrong, all at once.
    pub fields: Vec<Violation>,
}

impl Reason {
    /// The refusal with one fact.
    pub fn with(&'static self, name: &'static str, value: impl ToString) -> Refusal {
        Refusal::from(self).with(name, value)
    }

    /// The refusal that points at one field.
    pub fn field(&'static self, path: impl Into<String>, en: impl Into<String>, nl: impl Into<String>) -> Refusal {
        Refusal::from(self).field(path, en, nl)
    }
}

impl From<&'static Reason> for Refusal {
    fn from(reason: &'static Reason) -> Self {
        Self { reason, facts: Vec::new(), fields: Vec::new() }
    }
}

impl Refusal {
    /// Adds a fact.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.facts.push((name, value.to_string()));
        self
    }

    /// Adds a field that is wrong.
    pub fn field(mut self, path: impl Into<String>, en: impl Into<String>, nl: impl Into<String>) -> Self {
        self.fields.push(Violation { path: path.into(), en: en.into(), nl: nl.into() });
        self
    }

    /// Why, in English, with the facts filled in.
    pub fn en(&self) -> String {
        self.fill(self.reason.en)
    }

    /// Why, in Dutch, with the facts filled in.
    pub fn nl(&self) -> String {
        self.fill(self.reason.nl)
    }

    /// The way out, in English.
    pub fn way_out(&self) -> String {
        self.fill(self.reason.way_out)
    }

    /// The way out, in Dutch.
    pub fn uitweg(&self) -> String {
        self.fill(self.reason.uitweg)
    }

    fn fill(&self, template: &str) -> String {
        self.facts.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {} {}", self.reason.code, self.reason.rule, self.en(), self.way_out())
    }
}

impl std::error::Error for Refusal {}

/// Declares reasons as constants and lists them in `REASONS`, the module's page of the error catalogue.
///
/// ```
/// kernel::reasons! {
///     OFFER_EXPIRED: Rule, "R-HOU-22",
///         "The offer ended on {until}.", "Het aanbod liep af op {until}.",
///         "Nominate the client again.", "Draag de cliënt opnieuw voor.";
/// }
/// assert_eq!(OFFER_EXPIRED.with("until", "2026-05-01").en(), "The offer ended on 2026-05-01.");
/// ```
#[macro_export]
macro_rules! reasons {
    ($($code:ident: $kind:ident, $rule:literal, $en:literal, $nl:literal, $way_out:literal, $uitweg:literal;)*) => {
        $(
            #[doc = concat!($en, " (", $rule, ")")]
            pub static $code: $crate::Reason = $crate::Reason {
                code: stringify!($code),
                rule: $rule,
                kind: $crate::Kind::$kind,
                en: $en,
                nl: $nl,
                way_out: $way_out,
                uitweg: $uitweg,
            };
        )*

        /// The reasons declared in this module.
        pub static REASONS: &[&$crate::Reason] = &[$(&$code,)*];
    };
}

/// The reasons that every service may give.
pub mod general {
    crate::reasons! {
        MALFORMED: Malformed, "-",
            "The request has fields that cannot be read.", "Het verzoek heeft velden die niet gelezen kunnen worden.",
            "Correct the named fields.", "Verbeter de genoemde velden.";
        REQUEST_ID_MISSING: Malformed, "P3",
            "A call that changes something carries a request_id of 8 to 64 characters.",
            "Een aanroep die iets verandert heeft een request_id van 8 tot 64 tekens.",
            "Send a fresh UUID as request_id and keep it for every repeat of this call.",
            "Stuur een nieuwe UUID als request_id en houd die bij elke herhaling van deze aanroep.";
        REQUEST_ID_REUSED: Taken, "P3",
            "This request_id was used for another request.", "Dit request_id is al voor een ander verzoek gebruikt.",
            "Use a fresh request_id for a new request.", "Gebruik een nieuw request_id voor een nieuw verzoek.";
        NOT_FOUND: NotFound, "R-REG-13",
            "There is no such {thing}, or it is not yours to see.", "Deze {thing} bestaat niet, of is niet voor u te zien.",
            "Check the id; ask the case holder to give you a relation to the client.",
            "Controleer het kenmerk; vraag de trajecthouder om een relatie met de cliënt.";
        ROLE_NOT_ALLOWED: Denied, "R-REG-13",
            "None of your roles may call {rpc}.", "Geen van uw rollen mag {rpc} aanroepen.",
            "Allowed are: {allowed}.", "Toegestaan zijn: {allowed}.";
        PURPOSE_MISSING: Denied, "R-REG-13",
            "{rpc} needs a purpose in the header {header}, and got '{given}'.",
            "{rpc} vraagt een doel in de header {header}, en kreeg '{given}'.",
            "Send one of: {allowed}.", "Stuur een van: {allowed}.";
        TOKEN_MISSING: Unauthenticated, "R-REG-13",
            "The call carries no bearer token.", "De aanroep heeft geen bearer-token.",
            "Send a token in the header authorization.", "Stuur een token mee in de header authorization.";
        TOKEN_INVALID: Unauthenticated, "R-REG-13",
            "The token is not valid: {why}.", "Het token is niet geldig: {waarom}.",
            "Ask your issuer for a fresh token.", "Vraag een nieuw token bij uw uitgever.";
        TOKEN_REVOKED: Unauthenticated, "R-REG-13",
            "The token was withdrawn.", "Het token is ingetrokken.",
            "Sign in again; if that does not help, ask whoever manages access in your organisation.",
            "Meld u opnieuw aan; helpt dat niet, vraag dan wie in uw organisatie de toegang beheert.";
        TOKEN_BOUND: Unauthenticated, "R-REG-13",
            "The token is bound to a client certificate, and the call did not come over a connection with that certificate.",
            "Het token is gebonden aan een clientcertificaat, en de aanroep kwam niet over een verbinding met dat certificaat.",
            "Call with the certificate that the token was issued for, or ask your issuer for a token for this one.",
            "Roep aan met het certificaat waarvoor het token is uitgegeven, of vraag uw uitgever een token voor dit certificaat.";
        TOKEN_EXPIRED: Unauthenticated, "R-REG-13",
            "The token that opened this stream has expired.", "Het token waarmee deze stroom is geopend, is verlopen.",
            "Open it again with a fresh token, after the last cursor that you have.",
            "Open hem opnieuw met een nieuw token, na de laatste cursor die u hebt.";
        STALE_VERSION: Stale, "P3",
            "You saw version {seen}; it is {current} by now.", "U zag versie {seen}; het is nu {current}.",
            "Read it again and decide anew.", "Lees het opnieuw en beslis dan.";
        PAGE_TOKEN_INVALID: Malformed, "-",
            "The page_token does not belong to this list.", "De page_token hoort niet bij deze lijst.",
            "Start again without page_token.", "Begin opnieuw zonder page_token.";
        CURSOR_INVALID: Malformed, "P5",
            "The cursor is not one of this feed.", "De cursor is niet van deze stroom.",
            "Start without a cursor, or with one that this feed gave out.",
            "Begin zonder cursor, of met een cursor die deze stroom heeft gegeven.";
        CURSOR_FUTURE: OutOfRange, "P5",
            "The cursor lies beyond the end of the feed: the feed was restored.",
            "De cursor ligt voorbij het einde van de stroom: de stroom is hersteld.",
            "Read the feed again from the start.", "Lees de stroom opnieuw vanaf het begin.";
        CURSOR_EXPIRED: OutOfRange, "P5",
            "The events after this cursor are no longer kept.", "De gebeurtenissen na deze cursor worden niet meer bewaard.",
            "Start at the oldest cursor: {oldest}.", "Begin bij de oudste cursor: {oldest}.";
        CONSUMER_TOO_SLOW: Quota, "P5",
            "The subscriber did not take an event within {seconds} seconds.",
            "De abonnee nam {seconds} seconden lang geen gebeurtenis aan.",
            "Resume from the last cursor that you acknowledged.", "Ga verder vanaf de laatst bevestigde cursor.";
        SUBSCRIPTION_TAKEN: Taken, "P5",
            "The subscription {name} is being read by a newer call.", "Het abonnement {name} wordt door een nieuwere aanroep gelezen.",
            "Read one subscription from one place.", "Lees een abonnement op één plek.";
        TOO_MANY_SUBSCRIPTIONS: Quota, "P5",
            "Your organisation has {limit} subscriptions on this feed already; there is no place for another.",
            "Uw organisatie heeft al {limit} abonnementen op deze stroom; er is geen plaats voor nog een.",
            "Use a subscription that your organisation has, or read without one and keep the cursor yourself.",
            "Gebruik een abonnement dat uw organisatie al heeft, of lees zonder en bewaar de cursor zelf.";
        NOT_CONFIRMED: Away, "P8",
            "The right is withdrawn, but not every service confirmed it within {seconds} seconds.",
            "Het recht is ingetrokken, maar niet elke dienst bevestigde dat binnen {seconds} seconden.",
            "Ask again with the same request_id until it is confirmed.",
            "Vraag het opnieuw met hetzelfde request_id tot het bevestigd is.";
        ERASED: Rule, "R-REG-22",
            "What was kept of this client was destroyed.", "Wat van deze cliënt bewaard werd, is vernietigd.",
            "It cannot be brought back; whoever asks for help again is registered anew.",
            "Het komt niet terug; wie opnieuw om hulp vraagt, wordt opnieuw aangemeld.";
        TOO_LARGE: Quota, "-",
            "The request is larger than 1 MiB.", "Het verzoek is groter dan 1 MiB.",
            "Send less at once.", "Stuur minder in één keer.";
        TOO_MANY_CALLS: Quota, "-",
            "Your organisation calls more often than {per_second} times a second.",
            "Uw organisatie roept vaker aan dan {per_second} keer per seconde.",
            "Try again after {retry_ms} milliseconds, with the same request_id.",
            "Probeer het na {retry_ms} milliseconden opnieuw, met hetzelfde request_id.";
        TOO_MANY_STREAMS: Quota, "-",
            "Your organisation has {most} streams open; more is not possible.",
            "Uw organisatie heeft {most} stromen open; meer kan niet.",
            "Close one, or read several subscriptions from one place.",
            "Sluit er een, of lees meer abonnementen op één plek.";
        DEADLINE_PASSED: Late, "P3",
            "The deadline of this call passed before it was done; nothing was changed.",
            "De termijn van deze aanroep was voorbij voordat zij klaar was; er is niets gewijzigd.",
            "Try again with the same request_id and a longer deadline.",
            "Probeer het opnieuw met hetzelfde request_id en een langere termijn.";
        OUR_FAULT: Fault, "-",
            "Something went wrong on our side; nothing was changed.", "Er ging bij ons iets mis; er is niets gewijzigd.",
            "Give us the reference {reference}.", "Noem ons het kenmerk {reference}.";
        NOT_SUITABLE: Rule, "R-REG-28",
            "This place or dwelling is not suitable for the client.", "Deze plek of woning is niet geschikt voor de cliënt.",
            "Choose another one.", "Kies een andere.";
        OWN_FILE_TOO_YOUNG: Denied, "R-REG-21",
            "Under 12 the legal representative reads the file, not the client alone.",
            "Onder de 12 jaar leest de wettelijk vertegenwoordiger het dossier, niet de cliënt alleen.",
            "Let the legal representative ask; the access desk or the case holder records who that is.",
            "Laat de wettelijk vertegenwoordiger het vragen; de toegang of de trajecthouder legt vast wie dat is.";
        CLIENT_MERGED: Rule, "R-REG-26",
            "This record and {client_id} are of one person; nothing new is recorded here.",
            "Dit dossier en {client_id} zijn van één persoon; hier wordt niets nieuws vastgelegd.",
            "Use {client_id}; what was recorded here stays readable.",
            "Gebruik {client_id}; wat hier is vastgelegd, blijft leesbaar.";
        CLIENT_NOT_IN_USE: Rule, "R-REG-26",
            "Nothing new is recorded in this record.", "In dit dossier wordt niets nieuws vastgelegd.",
            "Ask the municipality which record of this client is used.",
            "Vraag de gemeente welk dossier van deze cliënt in gebruik is.";
        UNAVAILABLE: Away, "-",
            "The service cannot answer now.", "De dienst kan nu niet antwoorden.",
            "Try again in a moment, with the same request_id.", "Probeer het zo opnieuw, met hetzelfde request_id.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_fill_both_languages() {
        let refusal = general::STALE_VERSION.with("seen", 3).with("current", 5);
        assert_eq!(refusal.en(), "You saw version 3; it is 5 by now.");
        assert_eq!(refusal.nl(), "U zag versie 3; het is nu 5.");
    }

    #[test]
    fn every_reason_says_why_and_names_a_way_out_in_both_languages() {
        for reason in general::REASONS {
            for text in [reason.en, reason.nl, reason.way_out, reason.uitweg] {
                assert!(text.ends_with('.'), "{}: {text}", reason.code);
            }
        }
    }
}
