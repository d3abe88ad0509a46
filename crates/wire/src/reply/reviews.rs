//! Reviews: briefs and verdicts.
