//! What the files of an integration promise.

mod closing;
mod collecting;
mod crash;
mod uploading;
mod world;
