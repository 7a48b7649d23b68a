"""Named tuples of the package against those of the standard library."""

import copy
import pickle
import typing
from inspect import getdoc, signature

import pytest

from distillplan.named_tuples import NamedTuple

T = typing.TypeVar("T")


class Ours(NamedTuple):
    """A size."""

    params: float
    tokens: float | None = None
    names: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        return (self.tokens or 0.0) / self.params

    def __len__(self) -> int:
        return 2 + super().__len__()


class Theirs(typing.NamedTuple):
    """A size."""

    params: float
    tokens: float | None = None
    names: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        return (self.tokens or 0.0) / self.params


class Empty(NamedTuple):
    """Nothing."""


class Held(NamedTuple, typing.Generic[T]):
    value: T


def test_a_record_is_what_the_standard_library_makes():
    ours, theirs = Ours(2.0, names=("a",)), Theirs(2.0, names=("a",))
    assert tuple(ours) == tuple(theirs)
    assert hash(ours) == hash(theirs)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert ours._asdict() == theirs._asdict()
    assert ours._replace(tokens=6.0) == theirs._replace(tokens=6.0)
    assert ours._replace(tokens=6.0).ratio == 3.0
    assert Ours._make([1.0, 2.0, ()]) == Theirs._make([1.0, 2.0, ()])
    for name in ("_fields", "_field_defaults", "__match_args__", "__annotations__"):
        assert getattr(Ours, name) == getattr(Theirs, name), name
    assert typing.get_type_hints(Ours) == typing.get_type_hints(Theirs)
    assert signature(Ours) == signature(Theirs)
    assert getdoc(Ours) == "A size."
    assert type(Ours) is type
    assert Empty() == ()
    assert Held(3).value == 3


def test_a_method_of_a_record_reaches_the_tuple():
    assert len(Ours(2.0)) == 5


def test_records_are_copied_and_sent_to_other_processes():
    one = Ours(2.0, 3.0)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        back = pickle.loads(pickle.dumps(one, protocol))  # noqa: S301  (what stands beside it)
        assert back == one
        assert type(back) is Ours
    assert copy.deepcopy(one) == one
    assert type(copy.copy(one)) is Ours


def test_records_are_matched_by_place():
    match Ours(2.0, 3.0):
        case Ours(params, tokens):
            assert (params, tokens) == (2.0, 3.0)
        case _:
            raise AssertionError


@pytest.mark.parametrize(
    "wrong",
    [
        lambda kind: kind(),
        lambda kind: kind(1.0, 2.0, (), 4.0),
        lambda kind: kind(1.0, size=2.0),
        lambda kind: kind(1.0)._replace(size=2.0),
    ],
)
def test_what_the_standard_library_refuses_is_refused(wrong):
    for kind in (Ours, Theirs):
        with pytest.raises((TypeError, ValueError)):
            wrong(kind)


def test_records_are_as_closed_as_tuples():
    with pytest.raises(AttributeError):
        Ours(2.0).params = 3.0
    with pytest.raises(AttributeError):
        Ours(2.0).other = 3.0
