//! What goes wrong with files.

use super::file::FileState;
use crate::model::FieldError;
use crate::objects::ObjectError;
use crate::store::StoreError;

/// Why nothing was done with a file.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// What is asked is not for a file that is so far.
    #[error("that cannot be done with a file that is {}", .0.as_str())]
    Unfit(FileState),
    /// A row is too large to be kept.
    #[error("the row {key} has {bytes} bytes, and at most {most} are taken")]
    TooLarge {
        /// What the row is about.
        key: String,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// What is announced of a file cannot be.
    #[error("the announcement has faults")]
    Announcement(Vec<FieldError>),
    /// Nothing has been uploaded yet.
    #[error("the file has not been uploaded: send it to the link, then accept it")]
    NotUploaded,
    /// What lies there is not what was announced.
    #[error("the file is not the one that was announced")]
    Differs(Vec<FieldError>),
    /// The tables did not do what they were asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The objects did not do what they were asked.
    #[error(transparent)]
    Objects(#[from] ObjectError),
}
