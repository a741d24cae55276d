//! Protocols that look as good as the right one, each as a step function that is put in its place.

use std::time::Duration;

use super::super::step::{Answer, Input, Look, Progress, State, Then, Transition, step};

const fn at(progress: Progress, state: State, then: Then) -> Option<Transition> {
    let next = Progress { state, ..progress };
    Some(Transition { next, then })
}

const WAIT: Then = Then::Wait(Duration::ZERO);

/// Look whether it is there, send it, mark that it was sent.
pub(super) fn check_post_mark(progress: Progress, input: Input) -> Option<Transition> {
    match (progress.state, input) {
        (State::Intended, Input::Take(_)) => at(progress, State::Intended, Then::Find),
        (State::Intended, Input::Found(Look::Nothing)) => at(progress, State::Intended, Then::Send),
        (State::Intended, Input::Found(Look::Queued | Look::Posted) | Input::Sent(Answer::Accepted, _)) => {
            at(progress, State::Accepted, WAIT)
        }
        (State::Intended, Input::Found(_) | Input::Sent(..)) => at(progress, State::Intended, WAIT),
        _ => step(progress, input),
    }
}

/// Mark that it is booked, send it.
pub(super) fn mark_first(progress: Progress, input: Input) -> Option<Transition> {
    match (progress.state, input) {
        (State::Intended, Input::Take(_)) => at(progress, State::Posted, Then::Send),
        (State::Posted, Input::Sent(..)) => None,
        _ => step(progress, input),
    }
}

/// Take a lease, send it; where the lease has run out, take another and send it.
pub(super) fn lease_and_blind_post(progress: Progress, input: Input) -> Option<Transition> {
    match (progress.state, input) {
        (State::Intended | State::Sending, Input::Take(_)) => at(progress, State::Sending, Then::Send),
        (State::Sending, Input::Sent(Answer::Unknown, _)) => at(progress, State::Sending, WAIT),
        _ => step(progress, input),
    }
}

/// Take a lease, look whether it is there, send it if not; after no answer do the same again.
pub(super) fn lease_and_look(progress: Progress, input: Input) -> Option<Transition> {
    match (progress.state, input) {
        (State::Sending | State::Doubtful, Input::Take(_)) => at(progress, State::Doubtful, Then::Find),
        (State::Doubtful, Input::Found(Look::Nothing)) => at(progress, State::Sending, Then::Send),
        _ => step(progress, input),
    }
}

/// Believe a refusal though an earlier request may have arrived.
pub(super) fn refusal_believed(progress: Progress, input: Input) -> Option<Transition> {
    match input {
        Input::Sent(Answer::Rejected, dedup) => {
            let certain = Progress {
                doubt: false,
                ..progress
            };
            step(certain, Input::Sent(Answer::Rejected, dedup))
        }
        _ => step(progress, input),
    }
}

/// Take it that nothing has left when the last request has not, though an earlier one may have.
pub(super) fn not_sent_believed(progress: Progress, input: Input) -> Option<Transition> {
    match input {
        Input::Sent(Answer::NotSent, dedup) => {
            let certain = Progress {
                doubt: false,
                ..progress
            };
            step(certain, Input::Sent(Answer::NotSent, dedup))
        }
        _ => step(progress, input),
    }
}

/// Let go of what nobody can say anything about, without asking a human.
pub(super) fn no_review(progress: Progress, input: Input) -> Option<Transition> {
    let next = step(progress, input)?;
    if next.next.state == State::Review {
        return at(progress, State::Sending, Then::Rest);
    }
    Some(next)
}
