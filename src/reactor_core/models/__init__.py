"""Base models: names, fetching, one-time conversion, the local store, loading."""

from reactor_core.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "KNOWN_MODELS": ".names",
        "KnownModel": ".names",
        "LoadedModel": ".load",
        "ModelEntry": ".entry",
        "ModelName": ".names",
        "add_model": ".store",
        "list_models": ".store",
        "load_model": ".load",
        "load_tokenizer": ".load",
        "parse_model_name": ".names",
        "pull_model": ".store",
        "resolve_model": ".store",
    },
)
