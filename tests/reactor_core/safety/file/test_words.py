from __future__ import annotations

import pytest

from reactor_core.safety.file.words import Deed, deed_of, words_of


@pytest.mark.parametrize(
    ("name", "deed"),
    [
        ("read_file", Deed.READ),
        ("readFile", Deed.READ),
        ("open", Deed.READ),
        ("get_file_info", Deed.LOOK),
        ("list_dir", Deed.LOOK),
        ("search_files", Deed.LOOK),
        ("write_file", Deed.WRITE),
        ("create_file", Deed.WRITE),
        ("str_replace", Deed.EDIT),
        ("edit_file", Deed.EDIT),
        ("apply_patch", Deed.EDIT),
        ("append_file", Deed.APPEND),
        ("delete_path", Deed.DELETE),
        ("deleteMany", Deed.DELETE),
        ("rmtree", Deed.DELETE),
        ("secure_erase", Deed.DELETE),
        ("empty_dir", Deed.DELETE),
        ("empty_trash", Deed.DELETE),
        ("move_to_trash", Deed.TRASH),
        ("trash", Deed.TRASH),
        ("move_file", Deed.MOVE),
        ("rename", Deed.MOVE),
        ("copy_path", Deed.COPY),
        ("make_dir", Deed.MAKE),
        ("create_directory", Deed.MAKE),
        ("chmod", Deed.MODE),
        ("set_permissions", Deed.MODE),
        ("make_executable", Deed.MODE),
        ("chown", Deed.OWNER),
        ("create_symlink", Deed.LINK),
        ("symlink", Deed.LINK),
        ("create_archive", Deed.PACK),
        ("extract_archive", Deed.UNPACK),
        ("truncate_file", Deed.EMPTY),
        ("restore_from_trash", Deed.RESTORE),
        ("upload_file", Deed.UPLOAD),
        ("download", Deed.DOWNLOAD),
        ("run_file", Deed.RUN),
        ("share", Deed.SHARE),
        ("unshare", Deed.LOOK),
        ("encrypt_file", Deed.ENCRYPT),
        ("format_disk", Deed.FORMAT),
        ("mount", Deed.MOUNT),
        ("frobnicate", Deed.UNKNOWN),
        ("", Deed.UNKNOWN),
    ],
)
def test_what_a_name_says(name, deed):
    assert deed_of(name) is deed


def test_words_of_both_spellings():
    assert words_of("deletePath") == words_of("delete_path") == ["delete", "path"]
