//! Many workers, one credential, and a sign-in server that rotates refresh tokens and revokes what is shown twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::wire::Refusal;
use super::{
    Ask, Grant, Issued, SharedTokens, TokenCache, TokenEndpoint, TokenError, TokenErrorKind, TokenKey,
    TokenRow, TokenSource,
};
use crate::clock::Clock;
use crate::keys::{Keys, MemoryKeys};
use crate::store::{Due, Key, MemoryStore, Page, Query, Row, Store, StoreError, Write};

/// How long an access token lasts.
const LIFE: Duration = Duration::from_secs(3_600);

/// A process: each has another number.
type Worker = usize;

/// Time as the runtime pretends it to be.
#[derive(Debug)]
struct Virtual {
    begin: Timestamp,
    since: Instant,
}

#[async_trait]
impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.since.elapsed()).unwrap();
        self.begin + passed
    }

    async fn sleep(&self, duration: Duration) {
        sleep(duration).await;
    }
}

/// Everything that is left to chance, from one seed.
#[derive(Debug)]
struct Chance {
    dice: Mutex<fastrand::Rng>,
    faults: AtomicBool,
}

impl Chance {
    fn below(&self, limit: u64) -> u64 {
        self.dice.lock().unwrap().u64(..limit)
    }

    /// Says, while there are faults, whether one strikes.
    fn fault(&self, of: u64) -> bool {
        self.faults.load(SeqCst) && self.below(of) == 0
    }
}

/// What became of the tokens of one sign-in.
#[derive(Debug, Default)]
struct Family {
    newest: String,
    spent: Vec<String>,
    revoked: bool,
    /// Whether it takes what it does not know for nothing at all.
    forgets: bool,
}

/// A sign-in server: strict rotation, and reuse is the end of the family.
#[derive(Debug)]
struct Server {
    chance: Arc<Chance>,
    slow: Duration,
    /// What it answers whatever it is asked.
    always: Mutex<Option<TokenError>>,
    families: Mutex<HashMap<usize, Family>>,
    /// Who got which token, and was alive then.
    delivered: Mutex<HashMap<String, Worker>>,
    dead: Mutex<Vec<bool>>,
    calls: AtomicUsize,
    names: AtomicUsize,
    /// Families that were revoked while a living worker had, or had kept, their newest token.
    self_inflicted: AtomicUsize,
    lost: AtomicUsize,
}

impl Server {
    fn sign_in(&self) -> Issued {
        let number = self.names.fetch_add(1, SeqCst);
        let newest = format!("{number}.0");
        let family = Family {
            newest: newest.clone(),
            ..Family::default()
        };
        self.families.lock().unwrap().insert(number, family);
        self.issue(Some(newest))
    }

    fn issue(&self, refresh: Option<String>) -> Issued {
        Issued {
            access: format!("access {}", self.names.fetch_add(1, SeqCst)).into(),
            expires_in: Some(LIFE.as_secs()),
            refresh: refresh.map(SecretString::from),
            scope: None,
        }
    }

    fn answer(&self, shown: Option<&str>) -> Result<Issued, TokenError> {
        if let Some(error) = &*self.always.lock().unwrap() {
            return Err(error.clone());
        }
        let Some(shown) = shown else {
            return Ok(self.issue(None));
        };
        let number: usize = shown.split('.').next().unwrap().parse().unwrap();
        let mut families = self.families.lock().unwrap();
        let family = families.get_mut(&number).unwrap();
        if !family.revoked && family.newest == shown {
            let next = format!("{number}.{}", family.spent.len() + 1);
            family
                .spent
                .push(std::mem::replace(&mut family.newest, next.clone()));
            drop(families);
            return Ok(self.issue(Some(next)));
        }
        if !family.revoked && !family.forgets {
            family.revoked = true;
            let delivered = self.delivered.lock().unwrap().get(&family.newest).copied();
            let alive = delivered.is_some_and(|worker| !self.dead.lock().unwrap()[worker]);
            self.self_inflicted.fetch_add(usize::from(alive), SeqCst);
            self.lost.fetch_add(usize::from(!alive), SeqCst);
        }
        Err(invalid_grant())
    }
}

fn invalid_grant() -> TokenError {
    let refusal: Refusal = serde_json::from_str(r#"{"error":"invalid_grant"}"#).unwrap();
    refusal.into()
}

/// The way from one worker to the server.
#[derive(Debug)]
struct Line {
    server: Arc<Server>,
    worker: Worker,
}

#[async_trait]
impl TokenEndpoint for Line {
    async fn ask(&self, ask: Ask<'_>) -> Result<Issued, TokenError> {
        let server = Arc::clone(&self.server);
        server.calls.fetch_add(1, SeqCst);
        let shown = match ask {
            Ask::Refresh(token) => Some(token.expose_secret().to_owned()),
            _ => None,
        };
        let slow = u64::try_from(server.slow.as_millis()).unwrap();
        let total = server.chance.below(slow + 1);
        let before = server.chance.below(total + 1);
        let (sent, lost) = (server.chance.fault(20), server.chance.fault(20));
        if server.chance.fault(30) {
            return Err(TokenError::new(TokenErrorKind::Unavailable, "system", "503").with_status(503));
        }
        let (answer, answered) = oneshot::channel();
        // What was sent arrives, whatever becomes of who sent it.
        tokio::spawn({
            let server = Arc::clone(&server);
            async move {
                sleep(Duration::from_millis(before)).await;
                if sent {
                    return;
                }
                let issued = server.answer(shown.as_deref());
                sleep(Duration::from_millis(total - before)).await;
                if !lost {
                    drop(answer.send(issued));
                }
            }
        });
        let patience = Duration::from_secs(if matches!(ask, Ask::Refresh(_)) { 65 } else { 10 });
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok(issued)) => {
                if let Ok(Issued {
                    refresh: Some(refresh),
                    ..
                }) = &issued
                {
                    let token = refresh.expose_secret().to_owned();
                    server.delivered.lock().unwrap().insert(token, self.worker);
                }
                issued
            }
            _ => {
                sleep(patience.saturating_sub(Duration::from_millis(total))).await;
                Err(TokenError::new(TokenErrorKind::Unavailable, "network", "no answer").unanswered(true))
            }
        }
    }
}

/// Tables that take their time, fail, and lose answers.
#[derive(Debug)]
struct Slow {
    store: MemoryStore,
    chance: Arc<Chance>,
}

impl Slow {
    async fn pass(&self) -> Result<(), StoreError> {
        if self.chance.faults.load(SeqCst) {
            sleep(Duration::from_millis(self.chance.below(40))).await;
        }
        if self.chance.fault(60) {
            return Err(StoreError::Unavailable("throttled".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Slow {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.pass().await?;
        self.store.get(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.store.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.pass().await?;
        self.store.write(writes).await?;
        self.pass().await
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.store.due(list, now, limit).await
    }
}

struct World {
    chance: Arc<Chance>,
    clock: Arc<Virtual>,
    server: Arc<Server>,
    store: Arc<Slow>,
    keys: Arc<dyn Keys>,
    grant: Grant,
}

impl World {
    fn new(seed: u64, grant: Grant, slow: Duration) -> Self {
        let chance = Arc::new(Chance {
            dice: Mutex::new(fastrand::Rng::with_seed(seed)),
            faults: AtomicBool::new(false),
        });
        let clock = Arc::new(Virtual {
            begin: "2026-01-31T10:00:00Z".parse().unwrap(),
            since: Instant::now(),
        });
        let server = Arc::new(Server {
            chance: Arc::clone(&chance),
            slow,
            always: Mutex::default(),
            families: Mutex::default(),
            delivered: Mutex::default(),
            dead: Mutex::default(),
            calls: AtomicUsize::new(0),
            names: AtomicUsize::new(0),
            self_inflicted: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
        });
        let store = Arc::new(Slow {
            store: MemoryStore::new(),
            chance: Arc::clone(&chance),
        });
        Self {
            chance,
            clock,
            server,
            store,
            keys: Arc::new(MemoryKeys::new()),
            grant,
        }
    }

    /// A process that has just been started.
    fn source(&self) -> (TokenSource, Worker) {
        let worker = {
            let mut dead = self.server.dead.lock().unwrap();
            dead.push(false);
            dead.len() - 1
        };
        let line = Line {
            server: Arc::clone(&self.server),
            worker,
        };
        let source = TokenSource {
            key: TokenKey {
                integration: "hlf:dynamics365".parse().unwrap(),
                secret_version: "1".to_owned(),
                audience: "there".to_owned(),
            },
            grant: self.grant,
            endpoint: Arc::new(line),
            clock: Arc::<Virtual>::clone(&self.clock),
            cache: Arc::new(TokenCache::default()),
            shared: Some(SharedTokens {
                store: Arc::<Slow>::clone(&self.store),
                keys: Arc::clone(&self.keys),
                spends: true,
            }),
        };
        (source, worker)
    }

    async fn sign_in(&self) {
        let (source, _) = self.source();
        let issued = self.server.sign_in();
        while source
            .sign_in(
                Issued {
                    access: issued.access.clone(),
                    refresh: issued.refresh.clone(),
                    scope: None,
                    ..issued
                },
                self.clock.now(),
            )
            .await
            .is_err()
        {}
    }

    /// Says whether no sign-in is good any more.
    fn families_are_over(&self) -> bool {
        let families = self.server.families.lock().unwrap();
        self.grant == Grant::SignIn && families.values().all(|family| family.revoked)
    }

    fn calls(&self) -> usize {
        self.server.calls.load(SeqCst)
    }
}

fn number(name: &str, otherwise: usize) -> usize {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says how much")]
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Whenever a token ends every worker needs another, all within a minute: most while the old one can still be used,
/// and each tenth time only after its end.
async fn crowd(grant: Grant, slow: Duration, workers: usize, expiries: usize) {
    let world = World::new(1, grant, slow);
    if grant == Grant::SignIn {
        world.sign_in().await;
    }
    let tasks = (0..workers).map(|_| {
        let ((source, _), clock) = (world.source(), Arc::clone(&world.clock));
        let chance = Arc::clone(&world.chance);
        tokio::spawn(async move {
            let mut token = source.token().await.unwrap();
            for expiry in 1..=expiries {
                let (ended, life) = (Arc::clone(&token), token.life());
                let over = if expiry % 10 == 0 {
                    life.ends_at()
                } else {
                    life.fresh_until()
                };
                let until = over.duration_since(clock.now()).max(SignedDuration::ZERO);
                sleep(until.unsigned_abs() + Duration::from_millis(chance.below(60_000))).await;
                while token.is(&ended) {
                    // Where nothing is left of the old one, the answer may take longer than one waits for it.
                    token = source.token().await.unwrap_or(token);
                    sleep(Duration::from_secs(20 + chance.below(20))).await;
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let first = usize::from(grant == Grant::ClientCredentials);
    assert_eq!(
        world.calls(),
        expiries + first,
        "one call for each token that has ended"
    );
    assert_eq!(world.server.self_inflicted.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_workers_make_one_call_for_each_of_a_thousand_tokens_that_end() {
    let (workers, expiries) = (number("WORKERS", 1_000), number("EXPIRIES", 1_000) / 2);
    crowd(Grant::SignIn, Duration::from_secs(60), workers, expiries).await;
    crowd(
        Grant::ClientCredentials,
        Duration::from_secs(9),
        workers,
        expiries,
    )
    .await;
}

/// What becomes of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lives,
    Killed,
    /// Held still for longer than anybody waits for it.
    Frozen,
}

/// Has one worker renew the token, and meet its fate on the way.
async fn live(world: &World) {
    let (source, worker) = world.source();
    let fate = match world.chance.below(4) {
        0 if world.chance.fault(1) => Fate::Killed,
        1 if world.chance.fault(2) => Fate::Frozen,
        _ => Fate::Lives,
    };
    let life = Duration::from_millis(match world.chance.below(2) {
        0 => world.chance.below(300),
        _ => world.chance.below(80_000),
    });
    let mut work = std::pin::pin!(async {
        match world.chance.below(3) {
            0 => drop(source.token().await),
            1 => drop(source.refresh_ahead().await),
            _ => drop(source.refresh().await),
        }
    });
    if fate == Fate::Lives {
        return work.await;
    }
    tokio::select! {
        biased;
        () = &mut work => return,
        () = sleep(life) => {}
    }
    world.server.dead.lock().unwrap()[worker] = true;
    if fate == Fate::Frozen {
        sleep(Duration::from_secs(200 + world.chance.below(4_000))).await;
        work.await;
    }
}

/// Lives through a day with faults, and then one without.
async fn days(seed: u64, grant: Grant) -> (usize, usize) {
    let (workers, slow) = (
        6,
        Duration::from_secs(if grant == Grant::SignIn { 60 } else { 12 }),
    );
    let world = World::new(seed, grant, slow);
    if grant == Grant::SignIn {
        world.sign_in().await;
    }
    world.chance.faults.store(true, SeqCst);
    let mut signed_in = 0;
    for _ in 0..24 {
        let each = (0..workers).map(|_| {
            let world = &world;
            async move {
                sleep(Duration::from_secs(world.chance.below(3_600))).await;
                live(world).await;
            }
        });
        futures::future::join_all(each).await;
        sleep(Duration::from_secs(300)).await;
        let ended = world.families_are_over();
        if ended {
            // A human is asked, and signs in.
            signed_in += 1;
            world.sign_in().await;
        }
    }
    world.chance.faults.store(false, SeqCst);
    sleep(Duration::from_secs(4_000)).await;
    if world.families_are_over() {
        world.sign_in().await;
    }
    let before = world.calls();
    for _ in 0..workers {
        // What was lost last is only found now; and a server that takes longer than it is waited for is asked again.
        while world.source().0.token().await.is_err() {
            if world.families_are_over() {
                world.sign_in().await;
            }
            assert!(
                world.calls() <= before + 6,
                "once there is no fault, few calls are enough"
            );
            sleep(Duration::from_secs(60)).await;
        }
    }
    assert!(
        world.calls() <= before + 6,
        "once there is no fault, few calls are enough"
    );
    assert_eq!(
        world.server.self_inflicted.load(SeqCst),
        0,
        "no token that anybody had was revoked for reuse"
    );
    (signed_in, world.server.lost.load(SeqCst))
}

#[tokio::test(start_paused = true)]
async fn no_worker_that_is_killed_or_held_still_has_a_living_sign_in_revoked() {
    let (mut signed_in, mut lost) = (0, 0);
    let seeds = match number("SEED", 0) {
        0 => 1..=u64::try_from(number("SEEDS", 300)).unwrap(),
        seed => {
            let seed = u64::try_from(seed).unwrap();
            seed..=seed
        }
    };
    for seed in seeds {
        for grant in [Grant::SignIn, Grant::ClientCredentials] {
            // On failure: SEED=… runs this one alone.
            println!("SEED={seed} {grant:?}");
            let (more, answers) = days(seed, grant).await;
            signed_in += more;
            lost += answers;
        }
    }
    println!(
        "{lost} sign-ins ended since their last answer was lost; {signed_in} times a person signed in again"
    );
}

fn invalid_client() -> TokenError {
    let refusal: Refusal = serde_json::from_str(r#"{"error":"invalid_client"}"#).unwrap();
    refusal.into()
}

impl World {
    fn always(&self, error: Option<TokenError>) {
        *self.server.always.lock().unwrap() = error;
    }

    async fn row(&self) -> TokenRow {
        let id = "hlf:dynamics365".parse().unwrap();
        super::read(&*self.store, &id).await.unwrap().unwrap().row
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_with_a_refused_credential_costs_no_more_calls_than_there_are_cool_downs() {
    let world = World::new(1, Grant::ClientCredentials, Duration::from_secs(1));
    world.always(Some(invalid_client()));
    for _ in 0..24 * 60 * 2 {
        // Each time another process, and each has a few that need a token at once.
        let (source, _) = world.source();
        let tries = futures::future::join_all((0..3).map(|_| source.token())).await;
        assert!(tries.iter().all(Result::is_err));
        sleep(Duration::from_secs(30)).await;
    }
    // Five minutes, ten, twenty, forty, and then an hour each.
    assert!((24..=28).contains(&world.calls()), "{}", world.calls());
    let (mut other, _) = world.source();
    world.always(None);
    assert!(other.token().await.is_err(), "it is left alone");
    other.key.secret_version = "2".to_owned();
    assert!(other.token().await.is_ok(), "another version is tried at once");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_is_asked_once_by_many_and_an_ageing_token_is_used() {
    let world = World::new(1, Grant::ClientCredentials, Duration::ZERO);
    let first = world.source().0.token().await.unwrap();
    sleep(LIFE - Duration::from_secs(200)).await;
    world.always(Some(TokenError::new(
        TokenErrorKind::Unavailable,
        "system",
        "503",
    )));
    let sources: Vec<_> = (0..100).map(|_| world.source().0).collect();
    let tries = futures::future::join_all(sources.iter().map(TokenSource::token)).await;
    assert!(tries.into_iter().all(|token| token.unwrap().is(&first)));
    assert_eq!(world.calls(), 2);
    sleep(Duration::from_secs(200)).await;
    assert!(world.source().0.token().await.is_err());
    world.always(None);
    sleep(Duration::from_secs(60)).await;
    assert!(world.source().0.token().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_system_refuses_is_replaced_once_for_all_processes() {
    let world = World::new(1, Grant::ClientCredentials, Duration::from_secs(2));
    let sources: Vec<_> = (0..50).map(|_| world.source().0).collect();
    let tokens = futures::future::join_all(sources.iter().map(TokenSource::token)).await;
    let tokens: Vec<_> = tokens.into_iter().map(Result::unwrap).collect();
    let renewed = sources
        .iter()
        .zip(&tokens)
        .map(|(source, refused)| source.renew(refused));
    let renewed = futures::future::join_all(renewed).await;
    assert!(renewed.into_iter().all(|token| !token.unwrap().is(&tokens[0])));
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_newest_refresh_token_that_never_worked_gives_way_to_the_one_before() {
    let world = World::new(1, Grant::SignIn, Duration::ZERO);
    world.sign_in().await;
    world.source().0.refresh().await.unwrap();
    // The server has forgotten what it gave last.
    {
        let mut families = world.server.families.lock().unwrap();
        let family = families.values_mut().next().unwrap();
        let before = family.spent.pop().unwrap();
        family.newest = before;
        // What it does not know it refuses, and does not take for something that was shown before.
        family.forgets = true;
    }
    world.source().0.refresh().await.unwrap();
    assert!(world.row().await.failure.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_has_ended_is_told_with_what_is_known_of_its_last_token() {
    let world = World::new(1, Grant::SignIn, Duration::from_secs(60));
    let none = world.source().0.token().await.unwrap_err();
    assert!(none.to_string().contains("nobody has signed in"), "{none}");
    world.sign_in().await;
    // One worker dies after the server has spent the token.
    {
        let (source, _) = world.source();
        let mut work = std::pin::pin!(source.refresh());
        tokio::select! {
            biased;
            _ = &mut work => panic!("it was too quick"),
            () = async {
                while world.server.families.lock().unwrap().values().all(|family| family.spent.is_empty()) {
                    sleep(Duration::from_millis(1)).await;
                }
            } => {}
        }
    }
    let begun = world.clock.now();
    let ended = loop {
        let error = world.source().0.refresh().await.unwrap_err();
        if error.kind() == TokenErrorKind::Refused {
            break error;
        }
    };
    let waited = world.clock.now().duration_since(begun).as_secs();
    assert!(waited >= 140, "an answer might have come");
    assert!(ended.to_string().contains("no answer came"), "{ended}");
    // A person signs in, and everything goes on at once.
    world.sign_in().await;
    assert!(world.source().0.token().await.is_ok() && world.source().0.refresh().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_may_not_show_refresh_tokens_has_it_done_and_uses_what_there_is() {
    let world = World::new(1, Grant::SignIn, Duration::ZERO);
    world.sign_in().await;
    let (mut worker, _) = world.source();
    worker.shared = worker.shared.map(|shared| SharedTokens {
        spends: false,
        ..shared
    });
    let token = worker.token().await.unwrap();
    // One that has just come is no better for being renewed.
    assert!(worker.renew(&token).await.unwrap().is(&token));
    sleep(Duration::from_secs(300)).await;
    let refused = worker.renew(&token).await.unwrap_err();
    assert_eq!((refused.kind(), world.calls()), (TokenErrorKind::Unavailable, 0));
    assert_eq!(
        world.row().await.renew_at,
        Some(world.clock.now()),
        "it is due now"
    );
    world.source().0.refresh_ahead().await.unwrap();
    assert!(!worker.renew(&token).await.unwrap().is(&token));
}

#[tokio::test(start_paused = true)]
async fn what_need_not_be_renewed_is_not_and_what_is_forced_is() {
    let world = World::new(1, Grant::ClientCredentials, Duration::ZERO);
    let (source, _) = world.source();
    let first = source.refresh_ahead().await.unwrap();
    assert!(first.renew_at < first.life.fresh_until());
    for calls in [1, 1, 1] {
        source.refresh_ahead().await.unwrap();
        assert_eq!(world.calls(), calls);
    }
    source.refresh().await.unwrap();
    assert_eq!(world.calls(), 2);
    sleep(LIFE * 4 / 5).await;
    source.refresh_ahead().await.unwrap();
    assert_eq!(world.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_kept_or_shown_holds_a_token() {
    let world = World::new(1, Grant::SignIn, Duration::ZERO);
    world.sign_in().await;
    let (source, _) = world.source();
    let token = source.token().await.unwrap();
    source.refresh().await.unwrap();
    let shown = format!("{source:?} {token:?} {:?} {:?}", world.row().await, world.store);
    assert!(
        !shown.contains("access 1") && !shown.contains("\"0.") && !shown.contains("0.1"),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_refused_goes_on_as_soon_as_a_person_has_signed_in() {
    let world = World::new(1, Grant::SignIn, Duration::ZERO);
    let (mut worker, _) = world.source();
    worker.shared = worker.shared.map(|shared| SharedTokens {
        spends: false,
        ..shared
    });
    assert_eq!(worker.token().await.unwrap_err().kind(), TokenErrorKind::Refused);
    world.sign_in().await;
    assert!(worker.token().await.is_ok());
}

/// Knows another secret than the one that it is shown.
#[derive(Debug)]
struct Stranger;

#[async_trait]
impl TokenEndpoint for Stranger {
    async fn ask(&self, _: Ask<'_>) -> Result<Issued, TokenError> {
        Err(invalid_client())
    }
}

#[tokio::test(start_paused = true)]
async fn a_credential_is_proven_by_its_own_answer_and_by_no_other() {
    let world = World::new(1, Grant::SignIn, Duration::from_secs(10));
    world.sign_in().await;
    let (right, (mut wrong, _)) = (world.source().0, world.source());
    wrong.key.secret_version = "2".to_owned();
    wrong.endpoint = Arc::new(Stranger);
    // The wrong one waits for the right one's answer, which comes.
    let proving = async {
        sleep(Duration::from_millis(1)).await;
        wrong.prove().await
    };
    let (renewed, proven) = futures::join!(right.refresh(), proving);
    assert!(renewed.is_ok(), "{renewed:?}");
    assert_eq!(proven.unwrap_err().kind(), TokenErrorKind::Refused);
}
