from hypothesis import given
from hypothesis import strategies as st

from reactor_core.utils.environment_memory import GIB, GroupMemory, memory_room, probe_memory, read_groups

BYTES = st.integers(0, 2**63 - 1)


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_a_machine_without_limits_has_what_the_system_says():
    room = memory_room(24 * GIB, 20 * GIB)
    assert (room.total, room.available) == (24 * GIB, 20 * GIB)
    assert room.reason == "the system has 20.0 of 24.0 GiB free"


def test_the_tightest_group_counts_and_is_named():
    groups = [
        GroupMemory("/a/b", 8 * GIB, 1 * GIB),
        GroupMemory("/a", 6 * GIB, 4 * GIB),
        GroupMemory("/", 2**63 - 1, 0),
    ]
    room = memory_room(24 * GIB, 20 * GIB, groups)
    assert (room.total, room.available) == (6 * GIB, 2 * GIB)
    assert room.reason == "control group /a has 2.0 of 6.0 GiB free"


@given(total=BYTES, available=BYTES, groups=st.lists(st.builds(GroupMemory, st.just("/g"), BYTES, BYTES), max_size=4))
def test_no_group_makes_room(total, available, groups):
    room = memory_room(total, available, groups)
    assert room.total <= total
    assert 0 <= room.available <= available
    assert all(room.available <= max(0, group.limit - group.used) for group in groups if group.limit < total)


def test_version_two_is_read_up_to_the_root_without_what_can_be_taken_back(tmp_path):
    write(tmp_path / "job", memory__max="4000", memory__current="3000", memory__stat="anon 7\ninactive_file 1000\n")
    write(tmp_path, memory__max="max", memory__current="9", memory__stat="")
    assert read_groups("0::/job\n", tmp_path) == [GroupMemory("/job", 4000, 2000)]


def test_version_one_beside_version_two(tmp_path):
    write(
        tmp_path / "memory" / "job",
        memory__limit_in_bytes="4000",
        memory__usage_in_bytes="3000",
        memory__stat="inactive_file 5\ntotal_inactive_file 500\n",
    )
    own = "4:cpu,cpuacct:/job\n3:memory:/job\n0::/\n"
    assert read_groups(own, tmp_path) == [GroupMemory("/job", 4000, 2500)]


def test_in_a_container_the_mount_itself_is_the_group(tmp_path):
    write(tmp_path, memory__max="4000", memory__current="100", memory__stat="")
    assert read_groups("0::/docker/abc\n", tmp_path) == [GroupMemory("/", 4000, 100)]


def test_this_machine_has_room():
    room = probe_memory()
    assert 0 < room.available <= room.total
    assert "GiB free" in room.reason
