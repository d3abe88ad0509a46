//! All scenes, in one test binary.

mod racing_edits;
