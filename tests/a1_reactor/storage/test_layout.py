from a1_reactor.storage.layout import frame_name


def test_names_sort_as_numbers_do():
    assert frame_name(7) == "000007.png"
    assert sorted(map(frame_name, [100, 9, 20])) == ["000009.png", "000020.png", "000100.png"]
