"""Asking people before an action: questions, answers, second factors."""

from reactor_core.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Approvals": ".approvals",
        "Approver": ".ticket",
        "FactorStore": ".factors",
        "Method": ".question",
        "Outcome": ".ticket",
        "Proof": ".factors",
        "Question": ".question",
        "Released": ".approvals",
        "Said": ".question",
        "TerminalApprover": ".terminal",
        "Ticket": ".ticket",
        "require_second_factor": ".second_factor",
    },
)
