//! The protocol as a pure function: from the state that is kept and what has happened to the next state, and to what is
//! done once that is kept. The engine and the exploration of all that can happen both run this very function.
//!
//! It knows no time: a claim may run out at any moment, and whoever held it may wake up at any later one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ledger::Dedup;

/// How often a voucher is sent to a ledger that takes a reference once, before a human is asked.
pub(super) const MAX_SENDS: u8 = 5;

/// How often a ledger that can be asked is looked at in vain, before a human is asked.
pub(super) const MAX_LOOKS: u8 = 6;

/// How long to wait before looking again, by how often it was in vain.
const WAITS: [u64; 6] = [30, 120, 600, 1_800, 3_600, 7_200];

/// How long to wait until a ledger that has accepted a voucher may have posted it.
const POSTING: u64 = 1_800;

/// How long to leave a ledger alone that takes nothing, or says nothing.
const DOWN: u64 = 300;

/// How long a voucher that a human is to decide about is left before it is looked at again.
const RECONSIDER: u64 = 24 * 3_600;

/// How far a voucher is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is to be sent, and nothing of it has left.
    Intended,
    /// It is being sent: it may have left.
    Sending,
    /// It left and no answer came; the ledger is being looked at.
    Doubtful,
    /// The ledger has it, and has not posted it yet.
    Accepted,
    /// It is in the books.
    Posted,
    /// The ledger refused it before it took anything.
    Refused,
    /// The ledger took it, and refused it when it was to be posted: something of it may still stand in its queue.
    Rejected,
    /// A human has to decide; see [`Why`].
    Review,
    /// It is not in the books, and is not to be.
    Cancelled,
}

/// Why a human has to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It may have left, and nobody can say whether it arrived.
    Unanswered,
    /// The ledger refuses it, and an earlier request may have arrived or may do so yet.
    RefusedInDoubt,
    /// Something else stands under the reference, or more than one voucher.
    Different,
    /// The ledger had it, and has it no more.
    Vanished,
}

/// What is kept of a voucher's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// How far it is.
    pub state: State,
    /// Why it waits for a human, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// How often it was sent since a human last decided.
    #[serde(default)]
    pub sends: u8,
    /// How often the ledger was looked at in vain.
    #[serde(default)]
    pub looks: u8,
    /// Whether an earlier request may have arrived, or may do so yet.
    #[serde(default)]
    pub doubt: bool,
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// A worker takes it up: nobody holds it, or the claim on it has run out.
    Take(Dedup),
    /// The ledger answered to what was sent, or did not.
    Sent(Answer, Dedup),
    /// The ledger was looked at.
    Found(Look),
    /// A human has decided.
    Decided(Decision),
}

/// What a ledger answered to a voucher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It has it.
    Accepted,
    /// It had something under the reference before.
    Duplicate(Look),
    /// It refuses it, and kept nothing.
    Rejected,
    /// Nothing left.
    NotSent,
    /// It left, and no answer came.
    Unknown,
}

/// What a ledger has under a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Look {
    /// Nothing.
    Nothing,
    /// The voucher, not posted yet.
    Queued,
    /// The voucher, in the books.
    Posted,
    /// The voucher, refused when it was to be posted.
    Rejected,
    /// Something else, or more than one.
    Different,
    /// It did not say.
    Failed,
}

/// What a human decides about a voucher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The ledger has it; of what it has accepted: it is in the books.
    ItIsThere,
    /// It is not there, or no more, and will not come: send it again.
    SendAgain,
    /// It is not there, or no more, and will not come; and it is not wanted.
    Cancel,
}

/// What to do once the next state is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Then {
    /// Send the voucher.
    Send,
    /// Look at what the ledger has under the reference.
    Find,
    /// Let go of it, to be taken up again after so long.
    Wait(Duration),
    /// Let go of it: nothing more is to be done, or a human is to do it.
    Rest,
}

/// The next state, and what to do once it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Transition {
    /// What to keep.
    pub next: Progress,
    /// What to do then.
    pub then: Then,
}

impl Progress {
    /// Where every voucher begins.
    pub const BEGIN: Self = Self {
        state: State::Intended,
        why: None,
        sends: 0,
        looks: 0,
        doubt: false,
    };

    /// Says whether nothing of it has ever left.
    #[must_use]
    pub const fn is_untouched(&self) -> bool {
        matches!(self.state, State::Intended) && self.sends == 0 && !self.doubt
    }

    /// Says whether a request may still be on its way, so that a human should not yet decide that it is not there.
    #[must_use]
    pub const fn is_in_doubt(&self) -> bool {
        self.doubt || matches!(self.state, State::Sending | State::Doubtful | State::Review)
    }

    const fn in_state(self, state: State) -> Self {
        Self {
            state,
            why: None,
            looks: 0,
            ..self
        }
    }

    const fn then(self, then: Then) -> Transition {
        Transition { next: self, then }
    }

    const fn at_rest(self, state: State) -> Transition {
        self.in_state(state).then(Then::Rest)
    }

    const fn wait(self) -> Transition {
        let wait = match self.looks {
            0 => WAITS[0],
            1 => WAITS[1],
            2 => WAITS[2],
            3 => WAITS[3],
            4 => WAITS[4],
            _ => WAITS[5],
        };
        self.then(Then::Wait(Duration::from_secs(wait)))
    }

    const fn accepted(self) -> Transition {
        let wait = Then::Wait(Duration::from_secs(POSTING));
        self.in_state(State::Accepted).then(wait)
    }

    /// A human is asked; where that may settle it, the ledger is looked at now and then all the same.
    const fn review(self, why: Why) -> Transition {
        let next = Self {
            why: Some(why),
            ..self.in_state(State::Review)
        };
        next.then(Then::Wait(Duration::from_secs(RECONSIDER)))
    }
}

/// Returns what follows, or `None` where nothing does: the input is not one for this state.
#[must_use]
pub fn step(at: Progress, input: Input) -> Option<Transition> {
    match input {
        Input::Take(dedup) => take(at, dedup),
        Input::Sent(answer, dedup) if at.state == State::Sending => Some(sent(at, answer, dedup)),
        Input::Sent(..) => None,
        Input::Found(look) => found(at, look),
        Input::Decided(decision) => decided(at, decision),
    }
}

fn take(at: Progress, dedup: Dedup) -> Option<Transition> {
    match (at.state, dedup) {
        (State::Intended, Dedup::Queryable) => Some(at.then(Then::Find)),
        (State::Intended, Dedup::UniqueKey | Dedup::None) => Some(send(at)),
        // Whoever was sending is gone, and may have sent.
        (State::Sending | State::Doubtful, _) => Some(doubt(at, dedup)),
        (State::Accepted, Dedup::UniqueKey | Dedup::Queryable) => Some(at.then(Then::Find)),
        (State::Review, Dedup::UniqueKey | Dedup::Queryable) if at.why == Some(Why::Unanswered) => {
            Some(at.then(Then::Find))
        }
        (State::Accepted | State::Review, _)
        | (State::Posted | State::Refused | State::Rejected | State::Cancelled, _) => None,
    }
}

/// The mark that it may have left is kept before it leaves.
const fn send(at: Progress) -> Transition {
    let next = Progress {
        sends: at.sends.saturating_add(1),
        ..at.in_state(State::Sending)
    };
    next.then(Then::Send)
}

/// It may have left: only a ledger that takes a reference once is sent it again.
const fn doubt(at: Progress, dedup: Dedup) -> Transition {
    let at = Progress { doubt: true, ..at };
    match dedup {
        Dedup::UniqueKey if at.sends < MAX_SENDS => send(at),
        Dedup::Queryable if matches!(at.state, State::Doubtful) => at.then(Then::Find),
        Dedup::Queryable => at.in_state(State::Doubtful).then(Then::Find),
        Dedup::UniqueKey | Dedup::None => at.review(Why::Unanswered),
    }
}

const fn sent(at: Progress, answer: Answer, dedup: Dedup) -> Transition {
    match answer {
        Answer::Accepted | Answer::Duplicate(Look::Queued) => at.accepted(),
        Answer::Duplicate(Look::Posted) => at.at_rest(State::Posted),
        Answer::Duplicate(Look::Rejected) => at.at_rest(State::Rejected),
        Answer::Duplicate(Look::Different) => at.review(Why::Different),
        // It says that it has it, and does not say what: it is asked later.
        Answer::Duplicate(Look::Nothing | Look::Failed) => at.accepted(),
        Answer::Rejected if at.doubt => at.review(Why::RefusedInDoubt),
        Answer::Rejected => at.at_rest(State::Refused),
        Answer::NotSent => not_sent(at),
        Answer::Unknown => unknown(at, dedup),
    }
}

const fn not_sent(at: Progress) -> Transition {
    let sends = at.sends.saturating_sub(1);
    let at = Progress { sends, ..at };
    let at = if at.doubt {
        at
    } else {
        at.in_state(State::Intended)
    };
    at.then(Then::Wait(Duration::from_secs(DOWN)))
}

const fn unknown(at: Progress, dedup: Dedup) -> Transition {
    let at = Progress { doubt: true, ..at };
    match dedup {
        Dedup::UniqueKey => at.wait(),
        Dedup::Queryable => at.in_state(State::Doubtful).wait(),
        Dedup::None => at.review(Why::Unanswered),
    }
}

fn found(at: Progress, look: Look) -> Option<Transition> {
    let open = matches!(
        at.state,
        State::Intended | State::Doubtful | State::Accepted | State::Review
    );
    if !open {
        return None;
    }
    Some(match look {
        Look::Queued => at.accepted(),
        Look::Posted => at.at_rest(State::Posted),
        Look::Rejected => at.at_rest(State::Rejected),
        Look::Different => at.review(Why::Different),
        Look::Failed if at.state == State::Review => at.then(Then::Wait(Duration::from_secs(RECONSIDER))),
        Look::Failed => at.then(Then::Wait(Duration::from_secs(DOWN))),
        Look::Nothing => nothing(at),
    })
}

/// Only what has never left is sent because nothing is there; what has left may arrive after the look.
const fn nothing(at: Progress) -> Transition {
    let looks = at.looks.saturating_add(1);
    let looked = Progress { looks, ..at };
    match at.state {
        State::Intended => send(at),
        State::Doubtful if looks < MAX_LOOKS => looked.wait(),
        State::Accepted if looks < MAX_LOOKS => looked.wait(),
        State::Accepted => at.review(Why::Vanished),
        _ => at.review(Why::Unanswered),
    }
}

fn decided(at: Progress, decision: Decision) -> Option<Transition> {
    match (decision, at.state) {
        // Where the ledger can be asked, it will say whether it is posted; where it has said otherwise, the human knows.
        (Decision::ItIsThere, State::Review) if !matches!(at.why, Some(Why::Different | Why::Vanished)) => {
            Some(at.accepted())
        }
        (Decision::ItIsThere, State::Review | State::Accepted) => Some(at.at_rest(State::Posted)),
        (Decision::SendAgain, State::Refused | State::Accepted) => Some(again()),
        // Under the same reference it would never be taken.
        (Decision::SendAgain, State::Review) if at.why != Some(Why::Different) => Some(again()),
        (
            Decision::Cancel,
            State::Intended | State::Accepted | State::Refused | State::Rejected | State::Review,
        ) => Some(at.at_rest(State::Cancelled)),
        _ => None,
    }
}

const fn again() -> Transition {
    Progress::BEGIN.then(Then::Wait(Duration::ZERO))
}
