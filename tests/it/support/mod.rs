//! What scenarios are made of: repositories, and forges that answer from state.

pub(crate) mod bot;
pub(crate) mod github;
pub(crate) mod place;
pub(crate) mod process;
pub(crate) mod repo;
