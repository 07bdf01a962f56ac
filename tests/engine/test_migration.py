"""Instances that exist when their class changes are migrated by a hook, now or when they are used."""

from __future__ import annotations

import gc
from typing import Any

import pytest

import fixcont
from fixcont.editing.migration import ClassVersion
from fixcont.editing.sources import Sources
from support.project import Project, refusal

BASKET = "class Basket:\n    unit = 'cent'\n    def __init__(self, price):\n        self.price = price\n"
HOOK = """\
    def __fixcont_migrate__(self, old, new):
        told.append((old.version, new.version, old.attributes["unit"], new.attributes["unit"]))
        self.price = self.price / 100
"""
EUROS = "told = []\n" + BASKET.replace("cent", "euro") + HOOK


@pytest.fixture
def lazy(project: Project) -> Project:
    project.sources = Sources(
        project.trap, project.untrapped, lambda filename: filename.startswith(str(project.folder)), migrates_lazily=True
    )
    return project


def test_every_instance_is_migrated_with_the_edit(project: Project) -> None:
    module = project.load("basket", "told = []\n" + BASKET)
    one, other = module.Basket(250), module.Basket(100)
    result = project.edit("basket", EUROS)
    assert result.migrated == 2 and (one.price, other.price) == (2.5, 1)
    assert module.told == [(1, 2, "cent", "euro")] * 2
    assert project.edit("basket", EUROS.replace("= price", "= float(price)")).migrated == 0  # a method: the class is the same
    assert one.price == 2.5


def test_the_hook_may_come_after_the_change(project: Project) -> None:
    module = project.load("basket", "told = []\n" + BASKET)
    one = module.Basket(250)
    assert project.edit("basket", EUROS.replace(HOOK, "")).migrated == 0
    assert project.edit("basket", EUROS).migrated == 1
    assert one.price == 2.5 and module.told == [(1, 3, "cent", "euro")]


def test_subclasses_slots_and_a_registered_function(project: Project) -> None:
    text = "class Base:\n    __slots__ = ('x',)\n    size = 1\nclass Sub(Base):\n    __slots__ = ('y',)\n"
    module = project.load("slots", text)
    base, sub = module.Base(), module.Sub()
    sub.y = 1

    @fixcont.migrate(module.Base)
    def enlarge(self: Any, old: ClassVersion, new: ClassVersion) -> None:
        self.x = (type(self).__name__, old.attributes["size"], new.attributes["size"])

    assert project.edit("slots", text.replace("size = 1", "size = 2")).migrated == 2
    assert base.x == ("Base", 1, 2) and sub.x == ("Sub", 1, 2) and sub.y == 1


def test_new_fields_of_a_dataclass(project: Project) -> None:
    text = "import dataclasses\n@dataclasses.dataclass\nclass Point:\n    x: int\n"
    module = project.load("point", text)
    point = module.Point(3)
    project.edit(
        "point",
        text + "    y: int\n    def __fixcont_migrate__(self, old, new):\n"
        "        for name in set(new.fields) - set(old.fields):\n            setattr(self, name, 0)\n",
    )
    assert point == module.Point(3, 0)


def test_one_failure_takes_everything_back(project: Project) -> None:
    module = project.load("basket", "told = []\n" + BASKET)
    good, bad = module.Basket(250), module.Basket("free")
    good.more = 1
    code, sentence = refusal(project.edit("basket", EUROS))
    assert code == "migration-failed" and object.__repr__(bad) in sentence and "TypeError" in sentence
    assert (good.price, bad.price, module.Basket.unit) == (250, "free", "cent")
    assert not hasattr(module.Basket, "__fixcont_migrate__")
    bad.price = 100
    assert project.install().migrated == 2 and (good.price, bad.price) == (2.5, 1)


def test_an_undo_says_that_data_stays_migrated(project: Project) -> None:
    module = project.load("basket", "told = []\n" + BASKET)
    basket = module.Basket(250)
    project.edit("basket", EUROS)
    result = project.sources.undo()
    assert [each.code for each in result.warnings] == ["migration-kept"] and "(1)" in result.warnings[0].sentence
    assert basket.price == 2.5 and module.Basket.unit == "cent"


def test_lazily_when_an_attribute_is_used(lazy: Project) -> None:
    module = lazy.load("basket", "told = []\n" + BASKET)
    one, other, dropped = module.Basket(250), module.Basket(100), module.Basket(1)
    assert lazy.edit("basket", EUROS).migrated == 3
    assert module.told == []
    assert one.price == 2.5 and one.price == 2.5 and len(module.told) == 1
    assert "__getattribute__" in vars(module.Basket)
    del dropped
    gc.collect()
    assert other.price == 1 and "__getattribute__" not in vars(module.Basket)
    assert module.Basket(7).price == 7


def test_a_lazy_failure_is_an_exception_where_it_is_used(lazy: Project) -> None:
    module = lazy.load("basket", "told = []\n" + BASKET)
    bad = module.Basket("free")
    lazy.edit("basket", EUROS)
    for _ in range(2):
        with pytest.raises(TypeError):
            bad.price
    assert module.told


PARCEL = """\
class Parcel:
    def __init__(self, weight):
        self.weight = weight
    def price(self):
        return self.weight * 2
"""
PARCEL_WITH_TAX = PARCEL.replace("= weight\n", "= weight\n        self.tax = 5\n")
TAX_HOOK = "    def __fixcont_migrate__(self, old, new):\n        self.__dict__.setdefault('tax', 5)\n"


def test_an_attribute_that_init_sets_comes_with_a_hook(project: Project) -> None:
    module = project.load("parcel", PARCEL)
    one, other = module.Parcel(1), module.Parcel(2)
    assert project.edit("parcel", PARCEL_WITH_TAX + TAX_HOOK).migrated == 2
    assert (one.tax, other.tax, module.Parcel(3).tax) == (5, 5, 5)
    assert project.edit("parcel", (PARCEL_WITH_TAX + TAX_HOOK).replace("* 2", "* 3")).migrated == 0
    assert project.edit("parcel", PARCEL_WITH_TAX.replace("= 5", "= 7") + TAX_HOOK).migrated == 0  # the same attributes


def test_a_hook_alone_migrates_when_it_appears(project: Project) -> None:
    module = project.load("parcel", PARCEL)
    parcel = module.Parcel(1)
    assert project.edit("parcel", PARCEL_WITH_TAX).migrated == 0
    assert project.edit("parcel", PARCEL_WITH_TAX + TAX_HOOK).migrated == 1
    assert parcel.tax == 5


def test_a_hook_that_was_there_migrates_when_init_sets_other_attributes(project: Project) -> None:
    module = project.load("parcel", PARCEL + TAX_HOOK)

    class Special(module.Parcel):  # type: ignore[misc, name-defined]
        pass

    parcels = [module.Parcel(1), Special(2)]
    assert project.edit("parcel", PARCEL_WITH_TAX + TAX_HOOK).migrated == 2
    assert [parcel.tax for parcel in parcels] == [5, 5]


def test_an_attribute_of_init_migrates_lazily(lazy: Project) -> None:
    module = lazy.load("parcel", PARCEL)
    parcel = module.Parcel(1)
    assert lazy.edit("parcel", PARCEL_WITH_TAX + TAX_HOOK).migrated == 1
    assert parcel.tax == 5
