//! Visits every state that a model can get into, the nearest first.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::hash::Hash;

/// What can happen, and what must not.
pub(super) trait Model {
    type State: Clone + Eq + Hash + Debug;

    fn begin(&self) -> Self::State;

    /// Calls back with everything that can happen in a state, and the state that it leads to.
    fn happen(&self, state: &Self::State, follow: &mut dyn FnMut(&'static str, Self::State));

    /// Says what is wrong with a state, if anything is.
    fn wrong(&self, state: &Self::State) -> Option<&'static str>;

    /// Says whether nothing more has to happen.
    fn is_settled(&self, state: &Self::State) -> bool;
}

/// How much was visited, and how far away the farthest state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Explored {
    pub(super) states: usize,
    pub(super) steps: usize,
    pub(super) depth: usize,
}

/// The shortest way to something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) wrong: &'static str,
    pub(super) steps: Vec<&'static str>,
    pub(super) end: String,
}

struct Visited<S> {
    states: Vec<S>,
    /// From which state each was first reached, by what, and in how many steps.
    from: Vec<(usize, &'static str, usize)>,
    /// For each state, those from which it is reached.
    before: Vec<Vec<u32>>,
    steps: usize,
}

/// Visits everything; ends at the first thing that is wrong.
pub(super) fn explore<M: Model>(model: &M) -> Result<Explored, Box<Trace>> {
    let begin = model.begin();
    let mut numbers = HashMap::from([(begin.clone(), 0)]);
    let mut visited = Visited {
        states: vec![begin],
        from: vec![(0, "begin", 0)],
        before: vec![Vec::new()],
        steps: 0,
    };
    let mut open = VecDeque::from([0]);
    while let Some(at) = open.pop_front() {
        let state = visited.states[at].clone();
        if let Some(wrong) = model.wrong(&state) {
            return Err(visited.trace(at, wrong));
        }
        model.happen(&state, &mut |what, next| {
            visited.steps += 1;
            let new = visited.states.len();
            let number = match numbers.entry(next) {
                Entry::Occupied(found) => *found.get(),
                Entry::Vacant(place) => {
                    visited.states.push(place.key().clone());
                    visited.from.push((at, what, visited.from[at].2 + 1));
                    visited.before.push(Vec::new());
                    open.push_back(new);
                    *place.insert(new)
                }
            };
            visited.before[number].push(u32::try_from(at).unwrap());
        });
    }
    visited.settle(model)?;
    Ok(Explored {
        states: visited.states.len(),
        steps: visited.steps,
        depth: visited.from.last().unwrap().2,
    })
}

impl<S: Clone + Eq + Hash + Debug> Visited<S> {
    /// From every state, one that is settled can be reached.
    fn settle<M: Model<State = S>>(&self, model: &M) -> Result<(), Box<Trace>> {
        let mut settles: Vec<_> = self.states.iter().map(|state| model.is_settled(state)).collect();
        let mut open: Vec<_> = (0..settles.len()).filter(|at| settles[*at]).collect();
        while let Some(at) = open.pop() {
            for before in &self.before[at] {
                let before = *before as usize;
                if !std::mem::replace(&mut settles[before], true) {
                    open.push(before);
                }
            }
        }
        match settles.iter().position(|settles| !settles) {
            Some(stuck) => Err(self.trace(stuck, "it is never settled")),
            None => Ok(()),
        }
    }

    fn trace(&self, end: usize, wrong: &'static str) -> Box<Trace> {
        let mut steps = Vec::new();
        let mut at = end;
        while at != 0 {
            let (before, what, _) = self.from[at];
            steps.push(what);
            at = before;
        }
        steps.reverse();
        let end = format!("{:?}", self.states[end]);
        Box::new(Trace { wrong, steps, end })
    }
}
