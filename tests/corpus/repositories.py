"""The packages whose histories the edits are taken from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Repository:
    """A package and the part of its history that can be imported by the Pythons of today.

    Attributes:
        name: "owner/name", as on the usual host of public repositories.
        packages: the top-level packages, wherever in the tree they lie.
        since: the day from which on the history is looked at.
    """

    name: str
    packages: tuple[str, ...]
    since: str

    @property
    def address(self) -> str:
        """Where `git clone` finds it."""
        return f"https://github.com/{self.name}.git"


REPOSITORIES = (
    Repository("more-itertools/more-itertools", ("more_itertools",), "2017-01-01"),
    Repository("pallets/click", ("click",), "2020-04-01"),
    Repository("pallets/jinja", ("jinja2",), "2020-02-01"),
    Repository("pallets/werkzeug", ("werkzeug",), "2021-04-01"),
    Repository("pallets/flask", ("flask",), "2022-07-01"),
    Repository("encode/httpx", ("httpx",), "2020-01-01"),
    Repository("Textualize/rich", ("rich",), "2020-06-01"),
    Repository("python-attrs/attrs", ("attr", "attrs"), "2019-06-01"),
    Repository("psf/requests", ("requests",), "2016-01-01"),
    Repository("pypa/packaging", ("packaging",), "2019-06-01"),
    Repository("pytest-dev/pluggy", ("pluggy",), "2018-01-01"),
    Repository("marshmallow-code/marshmallow", ("marshmallow",), "2019-01-01"),
    Repository("jd/tenacity", ("tenacity",), "2019-01-01"),
    Repository("networkx/networkx", ("networkx",), "2023-01-01"),
    Repository("psf/black", ("black", "blib2to3"), "2021-06-01"),
)

#: What the packages above import beside the standard library; themselves too, for what is made when they are built.
DEPENDENCIES = (
    "click", "jinja2", "werkzeug", "flask", "httpx", "rich", "attrs", "requests", "packaging", "pluggy", "marshmallow", "tenacity",
    "networkx", "black", "more-itertools",
)  # fmt: skip
