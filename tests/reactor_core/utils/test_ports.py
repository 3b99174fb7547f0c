import socket

import pytest

from reactor_core.errors import ConfigError, EnvironmentMissing
from reactor_core.utils.ports import check_address, listen


def test_a_free_port_is_taken_and_another_listener_told_its_name():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentMissing, match=rf"127\.0\.0\.1:{port}: Address already in use \(") as caught:
            check_address("127.0.0.1", port)
        assert "--port" in caught.value.remedy


def test_an_address_that_was_looked_at_is_free_afterwards():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    check_address("127.0.0.1", port)
    listen("127.0.0.1", port).close()


@pytest.mark.parametrize("port", [-1, 65_536])
def test_there_are_no_other_ports(port):
    with pytest.raises(ConfigError, match=f"port={port}"):
        listen("127.0.0.1", port)


def test_the_address_of_another_machine_and_a_name_that_nobody_has():
    with pytest.raises(EnvironmentMissing, match=r"cannot listen on 192\.0\.2\.1:"):
        listen("192.0.2.1", 0)
    with pytest.raises(EnvironmentMissing, match="cannot listen on no such host:"):
        listen("no such host", 0)
    if socket.has_ipv6:
        with pytest.raises(EnvironmentMissing):
            listen("2001:db8::1", 0)
