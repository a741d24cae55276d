//! How this Xledger behaves.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;

/// Says how this Xledger behaves where the real one may behave in more than one way, and how much it lets a caller ask for.
///
/// Where nothing is known of the real one, the default is what is harder for a caller.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether `addGLImportItems` takes all nodes of a call or none; otherwise those before the first wrong one are kept.
    pub atomic: bool,
    /// Whether money is taken as a number too, which one public client sends; fixed when the simulation begins.
    pub money_as_number: bool,
    /// The most nodes of one mutation.
    pub largest_mutation: usize,
    /// The most rows of one page, beyond which a query times out.
    pub largest_page: usize,
    /// The rows of a page that is asked for without `first` and `last`.
    pub default_page: usize,
    /// How often the job posts what is in the queue; never by itself when there is none.
    pub job_interval: Option<SignedDuration>,
    /// How long a line is in the queue before anybody can see it there.
    pub read_back_lag: SignedDuration,
    /// How long every request of GraphQL takes, in real time.
    pub latency: Duration,
    /// How much one API token may ask for.
    pub limits: Limits,
    /// Whether uploads need a certificate.
    pub certificate_required: bool,
    /// Whether faults of SOAP come with the status 200.
    pub faults_in_200: bool,
    /// Whether a refused `LogonKey` is answered with an empty key instead of a fault.
    pub refusals_as_results: bool,
    /// How long a key for uploads can be used.
    pub key_life: SignedDuration,
    /// What the system calls itself: `XLEDGER`, or `XLEDGERDEMO` for the demo.
    pub application: String,
    /// Elements of a `JournalEntry` beyond those that are known, by name, and the field of a line that each one is.
    pub journal_elements: BTreeMap<String, String>,
    /// Whether cells of files may be quoted.
    pub quoted_cells: bool,
    /// The number of failed deliveries in a row that makes a webhook `FAULTED`.
    pub webhook_failures: u32,
}

/// Says how much one API token may ask for. The numbers are invented; that there are such limits is not.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The number of requests in a window.
    pub burst: usize,
    /// The length of that window.
    pub burst_window: SignedDuration,
    /// The number of requests at once.
    pub concurrent: usize,
    /// What may be spent in a period: a request costs one credit, and one more for each hundred rows.
    pub credits: u64,
    /// The length of that period.
    pub credit_period: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            atomic: false,
            money_as_number: false,
            largest_mutation: 500,
            largest_page: 10_000,
            default_page: 25,
            job_interval: Some(SignedDuration::from_mins(30)),
            read_back_lag: SignedDuration::ZERO,
            latency: Duration::ZERO,
            limits: Limits::default(),
            certificate_required: true,
            faults_in_200: false,
            refusals_as_results: false,
            key_life: SignedDuration::from_hours(12),
            application: "XLEDGER".to_owned(),
            journal_elements: BTreeMap::new(),
            quoted_cells: false,
            webhook_failures: 3,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            burst: 60,
            burst_window: SignedDuration::from_secs(5),
            concurrent: 5,
            credits: 100_000,
            credit_period: SignedDuration::from_hours(1),
        }
    }
}
