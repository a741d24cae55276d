//! What the API promises, sentence by sentence.

mod document;
