//! What can be wrong with a token, in both languages. Never in words of the token itself: it may hold anything.

use kernel::{Refusal, general};

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Why {
    pub en: &'static str,
    nl: &'static str,
}

impl From<Why> for Refusal {
    fn from(why: Why) -> Self {
        general::TOKEN_INVALID.with("why", why.en).with("waarom", why.nl)
    }
}

macro_rules! whys {
    ($($name:ident: $en:literal, $nl:literal;)*) => {
        $(pub(crate) const $name: Why = Why { en: $en, nl: $nl };)*
    };
}

whys! {
    TOO_LONG: "it is too long", "het is te lang";
    NOT_A_JWT: "it is not a signed JWT", "het is geen ondertekend JWT";
    NAMED_TWICE: "its JSON cannot be read, or names something twice",
        "de JSON erin is onleesbaar, of noemt iets twee keer";
    BRINGS_A_KEY: "it brings its own key", "het brengt zijn eigen sleutel mee";
    CRITICAL: "it asks for an extension that is not known here", "het vraagt om een uitbreiding die hier onbekend is";
    ISSUER: "its issuer is not one that is trusted here", "de uitgever wordt hier niet vertrouwd";
    ALGORITHM: "its algorithm is not one that its issuer signs with", "de uitgever ondertekent niet met dit algoritme";
    TYPE: "its type is not the one that its issuer gives", "het is niet van het soort dat de uitgever geeft";
    NO_KID: "it names no key", "het noemt geen sleutel";
    KID: "its key is not in the key set of its issuer", "de sleutel staat niet in de sleutelset van de uitgever";
    OTHER_KIND: "its key is not one for its algorithm", "de sleutel past niet bij het algoritme";
    SIGNATURE: "its signature is wrong", "de handtekening klopt niet";
    AUDIENCE: "it is meant for another audience", "het is voor een ander bedoeld";
    TIMES: "its times are absent or no whole seconds", "de tijden ontbreken of zijn geen hele seconden";
    ABSURD: "its times are absurd", "de tijden zijn onmogelijk";
    TOO_LASTING: "it is valid for longer than its issuer may let it", "het geldt langer dan deze uitgever mag geven";
    EXPIRED: "it has expired", "het is verlopen";
    NOT_YET: "it is not valid yet", "het is nog niet geldig";
    FUTURE: "it was issued in the future", "het is in de toekomst uitgegeven";
    SUBJECT: "its subject is absent, too long or not plain text", "de naam ontbreekt, is te lang of is geen gewone tekst";
    TOKEN_ID: "its id is too long or not plain text", "het kenmerk is te lang of is geen gewone tekst";
    ORGANISATION: "its organisation is not one that its issuer may speak for",
        "de uitgever mag niet namens deze organisatie spreken";
    NO_ROLE: "it gives no role", "het geeft geen rol";
    ROLE: "it gives a role that its issuer may not give there", "de uitgever mag deze rol daar niet geven";
    CLIENT: "a client token has a client_id and no other role; no other token has a client_id",
        "een token van een cliënt heeft een client_id en geen andere rol; geen ander token heeft een client_id";
    CONFIRMATION: "it is bound to something that cannot be checked here",
        "het is gebonden aan iets dat hier niet te controleren is";
    UNBOUND: "it is not bound to a client certificate, as tokens of its issuer must be",
        "het is niet aan een clientcertificaat gebonden, en dat moet bij deze uitgever";
    BEHALF: "it calls on behalf of another, which only a service may", "alleen een dienst mag namens een ander aanroepen";
}
