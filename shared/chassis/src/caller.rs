//! Who makes a call, as the gate found it.

use crate::limits::Bounds;
use auth::{Grant, Verified};
use kernel::{Actor, Organisation, Role};
use proto::audit::v1::AccessPoint;
use std::sync::Arc;
use telemetry::TraceContext;

/// The caller of one RPC: put on the request by the gate, and by nobody else.
#[derive(Clone, Debug)]
pub struct Caller {
    /// From a token that was checked.
    pub actor: Arc<Actor>,
    /// `Service/Method`
    pub rpc: Arc<str>,
    /// The purpose that the caller named: a code of the register.
    pub purpose: Arc<str>,
    /// What the policy table grants this actor on this RPC.
    pub grants: Vec<Grant>,
    /// The token that it came with; none when a service acts on its own.
    pub token: Option<Arc<Verified>>,
    /// The step of a trace that this call is.
    pub trace: TraceContext,
    /// How far it may go.
    pub bounds: Bounds,
    /// Whether it came over a connection with a client certificate.
    pub certified: bool,
}

impl Caller {
    /// The organisation that calls.
    pub fn organisation(&self) -> &Organisation {
        &self.actor.organisation
    }

    /// Whether a service of the chain calls.
    pub fn is_service(&self) -> bool {
        self.grants.iter().any(|grant| grant.role.as_str().starts_with("svc_"))
    }

    /// How it came in (NEN 7513: the access point).
    pub fn access_point(&self) -> AccessPoint {
        let of_service = self.actor.roles.iter().any(|role| role.as_str().starts_with("svc_"));
        came_in(self.token.is_some(), of_service, self.certified)
    }

    /// A service acting on its own: for events taken in and deadlines woken. A trace begins, until the work follows another.
    pub(crate) fn service(name: &str, rpc: &str) -> Self {
        let actor = service_actor(name);
        let grants = vec![Grant { role: actor.roles[0], relation: auth::Relation::Any }];
        let (actor, trace) = (Arc::new(actor), TraceContext::root());
        Self {
            actor,
            rpc: rpc.into(),
            purpose: "operations".into(),
            grants,
            token: None,
            trace,
            bounds: Bounds::default(),
            certified: false,
        }
    }
}

fn came_in(with_token: bool, of_service: bool, certified: bool) -> AccessPoint {
    match (with_token, of_service) {
        (false, true) => AccessPoint::Itself,
        (false, false) => AccessPoint::Unknown,
        (true, true) => AccessPoint::Service,
        (true, false) if certified => AccessPoint::Certificate,
        (true, false) => AccessPoint::Token,
    }
}

/// The identity of a service: subject and organisation are `svc-<name>`, its one role `svc_<name>`.
pub(crate) fn service_actor(name: &str) -> Actor {
    let organisation =
        Organisation::parse("service", &format!("svc-{name}")).expect("service names are lower-case words");
    let role = Role::from_key(&format!("svc_{name}")).expect("every service has a role");
    Actor { subject: format!("svc-{name}"), organisation, roles: vec![role], on_behalf_of: None, client_id: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R-REG-19
    #[test]
    fn how_somebody_came_in_follows_from_token_role_and_certificate() {
        use AccessPoint::{Certificate, Itself, Service, Token, Unknown};
        for (with_token, of_service, certified, point) in [
            (false, true, false, Itself),
            (false, true, true, Itself),
            (false, false, false, Unknown),
            (false, false, true, Unknown),
            (true, true, false, Service),
            (true, true, true, Service),
            (true, false, true, Certificate),
            (true, false, false, Token),
        ] {
            assert_eq!(came_in(with_token, of_service, certified), point);
        }
        assert_eq!(Caller::service("monitor", "deadline").access_point(), Itself);
    }
}
