"""Rows, chat templates and masks, packing, order, near-duplicates."""

from reactor_core.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ChatFormat": ".chat",
        "Dataset": ".records",
        "Document": ".packing",
        "Message": ".records",
        "PackedBatch": ".packing",
        "Row": ".records",
        "pack": ".packing",
        "read_dataset": ".records",
        "row_order": ".loader",
    },
)
