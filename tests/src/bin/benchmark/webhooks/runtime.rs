//! The runtime API of Lambda for one process: it hands out one invocation at a time, and takes the answer.
//!
//! What is measured begins right before an invocation is written, and ends as soon as the answer is read: no time of the
//! threads here is in it.
//!
//! Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".

use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use shared::clock::{Clock as _, SystemClock};
use tokio::time::Instant;
use uuid::Uuid;

use crate::Result;
use crate::head::Head;

/// A process that has not answered by then never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long an invocation may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The runtime API, until it is dropped.
#[derive(Debug)]
pub(super) struct Runtime {
    address: SocketAddr,
    events: Sender<String>,
    answers: Receiver<Result<Answer, String>>,
    ended: Arc<AtomicBool>,
}

/// What a process answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// When its invocation was handed out.
    handed: Instant,
    /// When the answer was there.
    pub(super) answered: Instant,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn took(&self) -> Duration {
        self.answered - self.handed
    }
}

/// What the connections of a process share.
#[derive(Debug)]
struct Shared {
    events: Mutex<Receiver<String>>,
    handed: Mutex<Option<Instant>>,
    answers: Sender<Result<Answer, String>>,
}

impl Runtime {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let (events, waiting) = channel();
        let (given, answers) = channel();
        let shared = Arc::new(Shared {
            events: Mutex::new(waiting),
            handed: Mutex::default(),
            answers: given,
        });
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.answer_all(stream));
            }
        });
        Ok(Self {
            address,
            events,
            answers,
            ended,
        })
    }

    /// Returns what a process is told of where it is.
    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Hands an event out as soon as it is asked for, and waits for the answer.
    pub(super) fn invoke(&self, event: String) -> Result<Answer> {
        self.events.send(event)?;
        let answer = self.answers.recv_timeout(PATIENCE);
        let answer = answer.map_err(|_| format!("nothing was answered for {PATIENCE:?}"))?;
        Ok(answer?)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // It looks whether it has ended once somebody comes.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn answer_all(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut requests = BufReader::with_capacity(1 << 14, stream.try_clone()?);
        while let Some(head) = Head::read(&mut requests)? {
            let body = head.body(&mut requests)?;
            let arrived = Instant::now();
            let target = head.line.split(' ').nth(1).unwrap_or_default();
            if target.ends_with("/invocation/next") {
                let Some(invocation) = self.next() else {
                    return Ok(());
                };
                *lock(&self.handed) = Some(Instant::now());
                stream.write_all(invocation.as_bytes())?;
            } else {
                let answer = self.taken(target, body, arrived);
                if self.answers.send(answer).is_err() {
                    return Ok(());
                }
                stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")?;
            }
        }
        Ok(())
    }

    /// Waits for an event; there is none any more once this is over.
    fn next(&self) -> Option<String> {
        let event = lock(&self.events).recv().ok()?;
        let (id, deadline) = (Uuid::new_v4(), (SystemClock.now() + TIMEOUT).as_millisecond());
        let length = event.len();
        Some(format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             lambda-runtime-aws-request-id: {id}\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-north-1:123456789012:function:benchmark\r\n\
             lambda-runtime-trace-id: Root=1-697dd2a0-4f1d2c7e0b6a4e4d3c9f1a2b;Parent=53995c3f42cd8ad8;Sampled=0\r\n\r\n\
             {event}"
        ))
    }

    fn taken(&self, target: &str, body: Vec<u8>, answered: Instant) -> Result<Answer, String> {
        let handed = lock(&self.handed).take();
        match handed {
            Some(handed) if target.ends_with("/response") => Ok(Answer {
                handed,
                answered,
                body,
            }),
            _ => Err(format!("{target}: {}", String::from_utf8_lossy(&body))),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
