//! Stories about vaults, told from outside.

mod hostile;
mod keeping_fresh;
mod recalling;
mod searching;
mod support;
mod watching;
mod writing;
