import pytest
from tests.a1_reactor.media.videos import counting, write_video

from a1_reactor.engine.importing import import_clip
from a1_reactor.storage.sources import SourceStore, source_of
from a1_reactor.types import Window


@pytest.fixture(scope="session")
def clips(make_engine, tmp_path_factory):
    """Generated, a child of that, imported, a child of that; and the kept file of the imported one."""
    folder = tmp_path_factory.mktemp("provenance")
    engine, spec = make_engine(folder / "a1r")
    base = engine.generate(spec(seconds="1/2")).clip
    child = engine.regen(spec(prompt="sharper", seconds="1/2", windows=(Window(4, 8),), seed=3), parent=base).clip
    film = import_clip(
        engine, write_video(folder / "harbour.mp4", counting(), [index * 40 for index in range(10)])
    ).clip
    asked = spec(prompt="fog", fps=25, seconds="0.4", width=64, height=64, windows=(Window(2, 5),))
    fog = engine.regen(asked, parent=film).clip
    source = SourceStore(engine.config.workspace).open(source_of(film.job))
    return {"base": base, "child": child, "film": film, "fog": fog, "source": source}
