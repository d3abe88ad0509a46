//! What one session sent to another, and what became of it.
