//! Reviews.

use super::{ANYONE, Kind, SWITCH, Setting, USER, Value, set_number, set_text};

/// What was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reviews {
    /// A task is completed only after an approving review.
    pub required: bool,
    /// The model that a client is asked to have read the brief, by sampling.
    pub model: String,
    /// Agents may be started to review.
    pub headless: bool,
    /// What one of them may cost, in US dollars.
    pub budget_usd: u64,
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "review_required",
        kind: SWITCH,
        default: "off",
        variable: "KITE_REVIEW_REQUIRED",
        places: ANYONE,
        doc: "Whether an agent may complete a task only after a review of its current attempt has \
              approved it (`kite_review`). A person may always. Whoever says `on` is obeyed: a \
              repository can switch it on, and not off.",
        // Not `=`: what is read later must not take it back.
        apply: |config, value| config.reviews.required |= value == Value::Word(1),
    },
    Setting {
        name: "review_model",
        kind: Kind::Text,
        default: "claude-sonnet-4-6",
        variable: "KITE_REVIEW_MODEL",
        places: USER,
        doc: "The model that reviews: as a hint to a client that is asked to have the brief read \
              (MCP sampling), and for a headless review. The client decides in the end; the review \
              says which model answered.",
        apply: |config, value| set_text(&mut config.reviews.model, value),
    },
    Setting {
        name: "review_headless",
        kind: SWITCH,
        default: "off",
        variable: "KITE_REVIEW_HEADLESS",
        places: USER,
        doc: "Whether Kite may start Claude Code by itself to read a brief, with tools that only \
              read. This spends money: at most `review_budget_usd` each time.",
        apply: |config, value| config.reviews.headless = value == Value::Word(1),
    },
    Setting {
        name: "review_budget_usd",
        kind: Kind::Number { min: 1, max: 100 },
        default: "1",
        variable: "KITE_REVIEW_BUDGET_USD",
        places: USER,
        doc: "What one headless review may cost at most, in US dollars.",
        apply: |config, value| set_number(&mut config.reviews.budget_usd, value),
    },
];
