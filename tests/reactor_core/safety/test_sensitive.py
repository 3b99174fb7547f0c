"""What must not leave."""

from __future__ import annotations

from reactor_core.safety import sensitive


def test_secrets_are_known_by_name_form_and_file() -> None:
    assert sensitive.secret_in("key=${STRIPE_SECRET_KEY}") == "STRIPE_SECRET_KEY"
    assert sensitive.secret_in("AKIAIOSFODNN7EXAMPLE")
    assert sensitive.secret_in("cat /home/dev/.env")
    assert not sensitive.secret_in("cp .env.example docs/ and ${PROJECT_ID}")


def test_a_new_bank_is_told_from_an_invoice() -> None:
    assert sensitive.bank_details("Our bank has changed, pay to the new IBAN")
    assert not sensitive.bank_details("Invoice 88 is open")


def test_an_address_with_a_password_is_a_secret_and_one_with_a_placeholder_is_not() -> None:
    assert sensitive.secret_in("DATABASE_URL=postgres://app:s3cret-9@db/prod") == "the password of postgres://app"
    assert sensitive.secret_in("amqp://u:Zk4p!x@[::1]/")
    for text in (
        "postgres://app:password@db",
        "ftp://u:<pass>@h",
        "ssh://git@h:22",
        "a://b:c",
    ):
        assert not sensitive.secret_in(text), text
