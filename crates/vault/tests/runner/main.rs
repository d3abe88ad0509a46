//! Stories about vaults, told from outside.

mod keeping_fresh;
mod searching;
mod support;
