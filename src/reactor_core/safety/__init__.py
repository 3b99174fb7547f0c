"""The safety gate: understands actions, asks rarely, and can always stop."""

from reactor_core.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "KINDS": ".engine",
        "RUBRIC_SETTING": ".setting",
        "Approvals": ".confirm",
        "AuditEntry": ".audit",
        "Completed": ".running",
        "Decision": ".engine",
        "Effect": ".verdict",
        "Finding": ".verdict",
        "Opinion": ".opinion",
        "Permit": ".permit",
        "PlanAudit": ".plan",
        "Policy": ".policy",
        "Preview": ".preview",
        "Process": ".running",
        "Redactor": ".redact",
        "SafetyGate": ".gate",
        "SecondOpinion": ".opinion",
        "Setting": ".setting",
        "Station": ".kill",
        "StopReport": ".kill",
        "TerminalApprover": ".confirm",
        "Verdict": ".verdict",
        "audit_trail": ".audit",
        "guarded": ".adapters",
        "instrument": ".adapters",
        "judge_action": ".engine",
        "load_policy": ".policy",
        "on_mouse_corner_trigger": ".kill",
        "pull_switch": ".kill",
        "redact_text": ".redact",
    },
)
