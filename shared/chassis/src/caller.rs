//! Who makes a call, as the gate found it.

use crate::limits::Bounds;
use auth::{Grant, Verified};
use kernel::{Actor, Organisation, Role};
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
        }
    }
}

/// The identity of a service: subject and organisation are `svc-<name>`, its one role `svc_<name>`.
pub(crate) fn service_actor(name: &str) -> Actor {
    let organisation =
        Organisation::parse("service", &format!("svc-{name}")).expect("service names are lower-case words");
    let role = Role::from_key(&format!("svc_{name}")).expect("every service has a role");
    Actor { subject: format!("svc-{name}"), organisation, roles: vec![role], on_behalf_of: None, client_id: None }
}
