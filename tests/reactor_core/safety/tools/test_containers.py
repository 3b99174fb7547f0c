"""Containers, images and volumes."""

from __future__ import annotations

import pytest
from tests.reactor_core.safety.tools.verdicts import verdict


@pytest.mark.parametrize(
    "action",
    [
        "docker volume rm $(docker volume ls -q)",
        "docker rm -f $(docker ps -aq)",
        "docker run --privileged -v /:/host alpine chroot /host",
        "docker stack rm prod",
        "docker compose -f compose.prod.yml down -v",
    ],
)
def test_is_blocked(action: str) -> None:
    assert verdict(action) == "block"


@pytest.mark.parametrize(
    "action",
    [
        "docker rm -f web",
        "docker stop web db",
        "docker volume rm shop_data",
        "docker volume prune -f",
        "docker system prune -a",
        "docker rmi acme/web:1.0",
        "docker push acme/web:1.0",
        "docker login",
        "docker compose down",
        "docker compose down -v",
        "docker restart web",
        "docker run -v /var/run/docker.sock:/var/run/docker.sock x",
        "docker run -v ~/.aws:/root/.aws x",
    ],
)
def test_is_asked_about(action: str) -> None:
    assert verdict(action) == "confirm"


@pytest.mark.parametrize(
    "action",
    [
        "docker ps -a",
        "docker logs -f web",
        "docker build -t x .",
        "docker run --rm -it python:3.12 python -V",
        "docker compose up -d",
        "docker compose logs -f",
        "docker image prune -f",
        "docker images",
        "docker pull postgres:16",
        "docker inspect web",
        "docker builder prune -f",
        "docker compose --dry-run down -v",
    ],
)
def test_is_let_through(action: str) -> None:
    assert verdict(action) == "allow"
