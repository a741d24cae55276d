//! `$batch`: many operations in one request.

mod multipart;
mod reply;
mod run;
