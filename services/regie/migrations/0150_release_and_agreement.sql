-- R-REG-27: three records that never count for one another. Consent is in the table `consent`; here are the release of
-- professional secrecy and the agreement to help. Codes and dates only.
create table secrecy_release (
    release_id text not null primary key,
    client_id text not null,
    organisation text not null,
    receiver text not null,
    subject text not null,
    purpose text not null,
    text_version text not null,
    last_day text,
    given_on text not null,
    withdrawn_on text
);

create index secrecy_release_by_client on secrecy_release (client_id);

create table help_agreement (
    help_agreement_id text not null primary key,
    client_id text not null,
    kind text not null,
    organisation text not null,
    text_version text,
    plan_edition bigint,
    given_on text not null,
    ended_on text,
    ended_by text
);

create index help_agreement_by_client on help_agreement (client_id);
