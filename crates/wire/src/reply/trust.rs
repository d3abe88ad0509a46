//! What a repository would run, and whether its person trusts it.
