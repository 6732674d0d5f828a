//! Every decision in the access log is made again by the policy of its day; one that was not taken so is named (R-REG-19).

use access::Access;
use auth::Protocol;
use doorstroom::replay::{Replay, report};
use kernel::Role;
use proto::access::v1::access_service_client::AccessServiceClient;
use proto::access::v1::{GetJourneyRequest, Identity, RegisterClientRequest};
use testkit::{Bench, actor, reason, rid};

/// Somebody with every right on the database.
struct Hand(store::Store);

impl Hand {
    async fn on(bench: &Bench<Access>) -> Self {
        let migrations = Access::ABOUT.migrations;
        Self(store::Store::open("access", bench.database(), &bench.sealing(), migrations).await.unwrap())
    }

    async fn does(&self, sql: &'static str, args: Vec<store::Value>) -> store::Result<u64> {
        let mut tx = self.0.write().await?;
        let touched = tx.run(sql, args).await?;
        tx.commit().await?;
        Ok(touched)
    }

    /// From here on the database itself refuses nothing.
    async fn takes_the_guards_off(&self) {
        let guards: &[&str] = match self.0.engine() {
            "sqlite" => &[
                "drop trigger access_log_is_never_changed",
                "drop trigger authorisation_protocol_is_never_changed",
                "drop trigger authorisation_protocol_is_never_cut",
            ],
            _ => &[
                "alter table access_log disable trigger user",
                "alter table authorisation_protocol disable trigger user",
            ],
        };
        for sql in guards {
            self.does(sql, vec![]).await.unwrap();
        }
    }
}

async fn replayed(bench: &Bench<Access>) -> (bool, String) {
    report(&Replay { database: bench.database().to_owned() }).await.unwrap()
}

const LOOKED: &str = "AccessService/GetJourney";

testkit::on_both_engines! {
    /// R-REG-19
    async fn every_decision_is_made_again_by_the_policy_of_its_day(bench: Bench<Access> = Access::embedded()) {
        let api = |role, organisation, purpose| AccessServiceClient::new(bench.as_(&actor(role, organisation), purpose));
        let identity = Identity { surname: "Test".into(), first_names: "Persoon".into(), no_address: true,
            birth_date: Some(proto::from_date(kernel::Date::constant(1990, 1, 1))), ..Default::default() };
        let request = RegisterClientRequest { request_id: rid(), municipality: "0505".into(), identity: Some(identity) };
        let registered = api(Role::Shelter, "leger-des-heils", "shelter").register_client(request).await.unwrap();
        let client_id = registered.into_inner().client_id;
        let look = async |mut api: AccessServiceClient<testkit::Client>| {
            let looked = api.get_journey(GetJourneyRequest { client_id: client_id.clone() }).await;
            looked.map_or_else(|status| reason(&status), |_| "ok".to_owned())
        };
        for (role, organisation, purpose, result) in [
            (Role::Shelter, "leger-des-heils", "shelter", "ok"),
            (Role::Access, "gemeente-dordrecht", "investigation", "ok"),
            (Role::Shelter, "another-shelter", "shelter", "NOT_FOUND"),
            (Role::Police, "politie", "shelter", "ROLE_NOT_ALLOWED"),
            (Role::Shelter, "leger-des-heils", "income", "PURPOSE_MISSING"),
        ] {
            assert_eq!(look(api(role, organisation, purpose)).await, result, "{role}");
        }
        assert_eq!(look(AccessServiceClient::new(bench.with_token("no.to.ken", "shelter"))).await, "TOKEN_INVALID");
        let (right, said) = replayed(&bench).await;
        assert!(right && said.contains("6 decisions are what the policy of their day says, by 1 versions"), "{said}");
        assert!(said.contains("1 calls were refused before rights were asked"), "{said}");

        // The database itself lets nobody change what was judged by, nor how somebody stood.
        let hand = Hand::on(&bench).await;
        for sql in [
            "update authorisation_protocol set words = ''",
            "delete from authorisation_protocol",
            "update access_log set standing = 'organisation'",
        ] {
            assert!(hand.does(sql, vec![]).await.is_err(), "{sql}");
        }
        hand.takes_the_guards_off().await;

        // An earlier day, on which the police could look: what was decided then is judged by the table of then.
        let [(version, today)] = &store::protocols(bench.database()).await.unwrap()[..] else { panic!("one version") };
        let earlier = today.replace(r#"GetJourney = { access"#, r#"GetJourney = { police = \"any\", access"#);
        assert_ne!(*today, earlier);
        hand.does(
            "insert into authorisation_protocol (version, words, kept_at) values ($1, $2, 0)",
            store::args![Protocol::version(&earlier), &earlier],
        ).await.unwrap();
        let police = "update access_log set result = $1, protocol = $2, purpose = 'investigation'
            where roles = 'police' and rpc = $3";
        hand.does(police, store::args!["ok", Protocol::version(&earlier), LOOKED]).await.unwrap();
        let (right, said) = replayed(&bench).await;
        assert!(right && said.contains("by 2 versions"), "{said}");
        hand.does(police, store::args!["ok", version, LOOKED]).await.unwrap();
        let (right, said) = replayed(&bench).await;
        assert!(!right && said.contains("that no role of the caller may make this call, the log says ok"), "{said}");
        hand.does(police, store::args!["ROLE_NOT_ALLOWED", version, LOOKED]).await.unwrap();

        // A result that was changed by hand.
        for (change, result, other, wrong) in [
            (
                "update access_log set result = $1 where organisation = 'another-shelter'",
                "NOT_FOUND", "ok", "that the caller had nothing to do with the client, the log says ok",
            ),
            (
                "update access_log set result = $1 where purpose = 'income'",
                "PURPOSE_MISSING", "ok", "that this call is not made for that purpose, the log says ok",
            ),
            (
                "update access_log set result = $1 where roles = 'access'",
                "ok", "ROLE_NOT_ALLOWED", "that nothing stood in the way, the log says ROLE_NOT_ALLOWED",
            ),
        ] {
            assert_eq!(hand.does(change, store::args![other]).await.unwrap(), 1, "{change}");
            let (right, said) = replayed(&bench).await;
            assert!(!right && said.contains(wrong), "{said}");
            hand.does(change, store::args![result]).await.unwrap();
            assert!(replayed(&bench).await.0);
        }

        // What was judged by that is no longer what it was, or no longer there, judges nothing.
        let text = "update authorisation_protocol set words = $2 where version = $1";
        hand.does(text, store::args![version, &earlier]).await.unwrap();
        let (right, said) = replayed(&bench).await;
        assert!(!right && said.contains("it is not the text that its version says"), "{said}");
        hand.does("delete from authorisation_protocol where version = $1", store::args![version]).await.unwrap();
        let (right, said) = replayed(&bench).await;
        assert!(!right && said.contains("is not kept"), "{said}");
        hand.0.close().await;
    }
}
