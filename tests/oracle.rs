//! The policy against an oracle: somebody who reads the reviewed table word by word and looks every relation up in a list.

use auth::{Policy, Standing};
use chain_tests::root;
use kernel::{Actor, ClientId, Organisation, Role, Uuid};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::HashMap;

/// How many decisions.
const DECISIONS: u64 = 1_000_000;

/// What an oracle knows of the world, as people would write it down.
struct Oracle {
    /// By "RPC role", the words of the cell.
    cells: HashMap<String, Vec<String>>,
    /// Who may know which client: the client, an organisation, and one person of it, or nobody in particular.
    relations: Vec<(ClientId, String, String)>,
    /// Who may look at which client by emergency access: the client, the organisation, the person, the role.
    emergencies: Vec<(ClientId, String, String, Role)>,
}

/// A question to both.
struct Question {
    rpc: String,
    actor: Actor,
    client: Option<ClientId>,
    owner: Option<Organisation>,
}

impl Oracle {
    fn read(relations: Vec<(ClientId, String, String)>, emergencies: Vec<(ClientId, String, String, Role)>) -> Self {
        let text = std::fs::read_to_string(root().join("tests/RIGHTS.md")).unwrap();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(|line| line.split('|').map(str::trim).collect())
            .collect();
        let mut cells = HashMap::new();
        for row in &rows[2..] {
            for (role, cell) in rows[0].iter().zip(row).skip(2) {
                let words = cell.split_whitespace().filter(|word| *word != "or" && *word != "–").map(str::to_owned);
                cells.insert(format!("{} {role}", row[1]), words.collect());
            }
        }
        Self { cells, relations, emergencies }
    }

    fn says(&self, question: &Question) -> bool {
        let Question { rpc, actor, client, owner } = question;
        for role in &actor.roles {
            for word in &self.cells[&format!("{rpc} {role}")] {
                let yes = match word.as_str() {
                    "any" => true,
                    "own" => *owner == Some(actor.organisation.clone()),
                    "self" => client.is_some() && *client == actor.client_id,
                    "caseload" => {
                        self.relations.iter().any(|(of, organisation, person)| {
                            let whole = if role.as_str() == "caseholder" { actor.subject.as_str() } else { "" };
                            *client == Some(*of) && organisation == actor.organisation.as_str() && person == whole
                        }) || self.emergency(question) == Some(*role)
                    }
                    other => panic!("{other} is no word of the table"),
                };
                if yes {
                    return true;
                }
            }
        }
        false
    }

    /// The role in which that person may look at that client by emergency access.
    fn emergency(&self, Question { actor, client, .. }: &Question) -> Option<Role> {
        let of = |(of, organisation, person, _): &&(ClientId, String, String, Role)| {
            *client == Some(*of) && organisation == actor.organisation.as_str() && *person == actor.subject
        };
        self.emergencies.iter().find(of).map(|(.., role)| *role)
    }
}

/// What the services decide, given what their tables say of the caller.
fn decided(policy: &Policy, question: &Question, standing: &Standing) -> bool {
    let Some(rule) = policy.rule(&question.rpc) else { return false };
    rule.grants(&question.actor).iter().any(|grant| grant.holds(standing))
}

/// P8, R-REG-13: a million decisions drawn at random, of any roles together, and no difference.
#[test]
fn the_policy_decides_as_who_reads_the_table_word_by_word() {
    let mut dice = SmallRng::seed_from_u64(13);
    let clients: Vec<ClientId> = (1..=6).map(|n| ClientId(Uuid::from_u128(n))).collect();
    let organisations = ["leger-des-heils", "trivire", "wijkteam-west", "gemeente-dordrecht"];
    let people = ["", "een", "ander"];
    let mut relations = Vec::new();
    for client in &clients {
        for organisation in organisations {
            for person in people.iter().filter(|_| dice.random_ratio(1, 4)) {
                relations.push((*client, organisation.to_owned(), (*person).to_owned()));
            }
        }
    }
    let mut emergencies = Vec::new();
    for client in &clients {
        for organisation in organisations {
            for person in &people[1..] {
                let role = Role::ALL[dice.random_range(0..Role::ALL.len())];
                if dice.random_ratio(1, 4) {
                    emergencies.push((*client, organisation.to_owned(), (*person).to_owned(), role));
                }
            }
        }
    }
    let oracle = Oracle::read(relations, emergencies);
    let policy = Policy::embedded();
    let rpcs: Vec<String> = policy.lines().map(|(rpc, _)| rpc.to_owned()).collect();
    let organisations = organisations.map(|code| Organisation::parse("organisation", code).unwrap());
    let (mut allowed, mut denied) = (0_u64, 0_u64);
    for n in 0..DECISIONS {
        let roles = (0..dice.random_range(0..5)).map(|_| Role::ALL[dice.random_range(0..Role::ALL.len())]).collect();
        let one_of =
            |dice: &mut SmallRng| dice.random_ratio(3, 4).then(|| clients[dice.random_range(0..clients.len())]);
        let question = Question {
            rpc: rpcs[dice.random_range(0..rpcs.len())].clone(),
            client: one_of(&mut dice),
            owner: dice.random_ratio(1, 2).then(|| organisations[dice.random_range(0..organisations.len())].clone()),
            actor: Actor {
                subject: people[dice.random_range(1..people.len())].to_owned(),
                organisation: organisations[dice.random_range(0..organisations.len())].clone(),
                roles,
                on_behalf_of: None,
                client_id: one_of(&mut dice),
            },
        };
        let Question { actor, client, owner, .. } = &question;
        let related = |person: &str| {
            let one = client.map(|client| (client, actor.organisation.to_string(), person.to_owned()));
            one.is_some_and(|one| oracle.relations.contains(&one))
        };
        let standing = Standing {
            owner: owner.as_ref() == Some(&actor.organisation),
            client: client.is_some() && actor.client_id == *client,
            organisation: related(""),
            person: related(&actor.subject),
            emergency: oracle.emergency(&question),
        };
        let (decided, said) = (decided(policy, &question, &standing), oracle.says(&question));
        assert_eq!(decided, said, "decision {n}: {} as {:?}, {standing:?}", question.rpc, actor.roles);
        *if said { &mut allowed } else { &mut denied } += 1;
    }
    assert!(allowed > DECISIONS / 20 && denied > DECISIONS / 20, "{allowed} allowed, {denied} denied");
}
