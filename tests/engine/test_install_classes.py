"""Installing changed classes: the class object stays, and instances and subclasses see what changed."""

from __future__ import annotations

import copy
import dataclasses
import sys
from typing import Any

import pytest

from support.project import Project, codes, names, refusal

# Attributes


def test_attributes_are_changed_added_and_removed(project: Project) -> None:
    module = project.load("shop", "class Shop:\n    size = 1\n    name = 'corner'\n    seen = []\n    gone = 0\n")
    shop, cls = module.Shop(), module.Shop
    cls.seen.append("customer")
    cls.name = "set by the program"
    result = project.edit("shop", "class Shop:\n    size = 2\n    name = 'corner'\n    seen = []\n    more = size * 2\n")
    assert names(result) == {"Shop": 2} and not result.warnings
    assert module.Shop is cls and (shop.size, shop.more) == (2, 4) and not hasattr(shop, "gone")
    assert shop.seen == ["customer"] and shop.name == "set by the program"  # their statements did not change


def test_what_reads_a_changed_attribute_is_run_again(project: Project) -> None:
    module = project.load("sizes", "class A:\n    x = 1\n    y = x + 1\n    z = 5\n    def f(self, n=x):\n        return n\n")
    a = module.A()
    project.edit("sizes", "class A:\n    x = 10\n    y = x + 1\n    z = 5\n    def f(self, n=x):\n        return n\n")
    assert (a.x, a.y, a.z, a.f()) == (10, 11, 5, 10)


def test_private_names_descriptors_and_loops(project: Project) -> None:
    text = """\
        class Named:
            def __set_name__(self, owner, name):
                self.told = owner, name

        class A:
            __secret = 1

            def secret(self):
                return self.__secret
        """
    module = project.load("private", text)
    a = module.A()
    project.edit(
        "private",
        text.replace(
            "__secret = 1", "__secret = 2\n            field = Named()\n            for i in range(3):\n                pass"
        ),
    )
    assert a.secret() == 2 and a.field.told == (module.A, "field") and module.A.i == 2


def test_nested_classes_and_lambdas_with_super(project: Project) -> None:
    text = "class Base:\n    def f(self):\n        return 'base'\nclass A:\n    class B(Base):\n        size = 1\n"
    module = project.load("nested", text)
    b = module.A.B()
    result = project.edit("nested", text.replace("size = 1", "size = 2\n        f = lambda self: super().f() + '!'"))
    assert names(result) == {"A.B": 2} and b.size == 2 and b.f() == "base!"
    assert type(b).f.__qualname__ == "A.B.<lambda>"


def test_an_attribute_that_raises_changes_nothing(project: Project) -> None:
    module = project.load("raises", "class A:\n    x = 1\n    def f(self):\n        return 1\n")
    result = project.edit("raises", "class A:\n    x = 2\n    y = 1 / 0\n    def f(self):\n        return 2\n")
    code, sentence = refusal(result)
    assert code == "definition-failed" and "raises.py:3: this statement of class A raised ZeroDivisionError" in sentence
    assert module.A.x == 1 and module.A().f() == 1


def test_docstrings(project: Project) -> None:
    module = project.load("docs", "'''old'''\nclass A:\n    '''old'''\n    x = 1\n")
    project.edit("docs", "'''new'''\nclass A:\n    '''new'''\n    x = 1\n")
    assert module.__doc__ == module.A.__doc__ == "new"
    project.edit("docs", "class A:\n    x = 1\n")
    assert module.A.__doc__ is None


def test_docstrings_that_decorators_have_copied(project: Project) -> None:
    text = """\
        import functools

        def wrapped(f):
            @functools.wraps(f)
            def wrapper(*args):
                return f(*args)
            return wrapper

        @wrapped
        def f():
            \'\'\'old\'\'\'

        class A:
            \'\'\'old

               old
            \'\'\'
            @property
            def p(self):
                \'\'\'old\'\'\'

            @classmethod
            @functools.lru_cache
            def r(cls):
                '''old'''

            @functools.cached_property
            def q(self):
                \'\'\'old\'\'\'
        """
    module = project.load("copied", text)
    project.edit("copied", text.replace("old", "new"))
    fresh = project.load("copied", as_name="fresh")
    assert module.f.__doc__ == module.A.p.__doc__ == vars(module.A)["q"].__doc__ == module.A.r.__doc__ == "new"
    assert module.A.__doc__ == fresh.A.__doc__


# Methods


def test_methods_are_added_and_removed(project: Project) -> None:
    module = project.load("methods", "class A:\n    def f(self):\n        return 1\n    def g(self):\n        return 2\n")
    a, g = module.A(), module.A().g
    result = project.edit(
        "methods", "class A:\n    def f(self):\n        return 1\n    @classmethod\n    def h(cls):\n        return cls\n"
    )
    assert a.h() is module.A and not hasattr(a, "g") and g() == 2 and not result.warnings
    assert [(each.qualname, each.added) for each in result.installed] == [("A.h", True)]


def test_methods_that_classes_treat_specially(project: Project) -> None:
    module = project.load("special", "class A:\n    def f(self):\n        return 1\n")
    a = module.A()
    project.edit(
        "special",
        """\
        class A:
            def f(self):
                return 1

            def __new__(cls):
                return object.__new__(cls)

            def __init_subclass__(cls):
                cls.told = True

            def __class_getitem__(cls, item):
                return cls, item

            def __eq__(self, other):
                return True
        """,
    )
    assert type(module.A()) is module.A and module.A[1] == (module.A, 1) and vars(type("B", (module.A,), {}))["told"]
    assert a == 1 and module.A.__hash__ is None
    project.edit("special", "class A:\n    def f(self):\n        return 1\n")
    assert module.A.__hash__ is object.__hash__


def test_a_property_loses_its_setter(project: Project) -> None:
    text = "class A:\n    @property\n    def x(self):\n        return 1\n"
    setter = "    @x.setter\n    def x(self, value):\n        self.y = value\n"
    module = project.load("prop", text + setter)
    a = module.A()
    project.edit("prop", text)
    with pytest.raises(AttributeError):
        a.x = 2
    project.edit("prop", text.replace("1", "2") + setter.replace("value\n", "-value\n"))
    a.x = 3
    assert (a.x, a.y) == (2, -3)


def test_a_class_that_the_package_shows_under_another_module(project: Project) -> None:
    module = project.load("face", "class A:\n    def f(self):\n        return 1\nA.__module__ = 'package'\n")
    a = module.A()
    result = project.edit(
        "face",
        "class A:\n    x = 1\n    def f(self):\n        return 2\n    def g(self):\n        return 3\nA.__module__ = 'package'\n",
    )
    assert not result.warnings and (a.x, a.f(), a.g()) == (1, 2, 3)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="classes note them from 3.13 on")
def test_the_attributes_that_methods_set_are_noted(project: Project) -> None:
    module = project.load("static", "class A:\n    def f(self):\n        self.a = 1\n")
    project.edit("static", "class A:\n    def f(self):\n        self.b = 1\n")
    assert vars(module.A)["__static_attributes__"] == ("b",)


# Bases, metaclasses, abstract classes


def test_other_bases(project: Project) -> None:
    text = "class A:\n    def who(self):\n        return 'A'\nclass B:\n    def who(self):\n        return 'B'\nclass C({}):\n    pass\n"
    module = project.load("bases", text.format("A"))
    c = module.C()
    result = project.edit("bases", text.format("B, A"))
    assert names(result) == {"C": 2} and c.who() == "B" and isinstance(c, module.A)


def test_bases_that_python_does_not_allow(project: Project) -> None:
    module = project.load("bases", "class A:\n    pass\nclass B(A):\n    x = 1\n")
    result = project.edit("bases", "class A:\n    pass\nclass B(A, dict):\n    x = 2\n")
    code, sentence = refusal(result)
    assert code == "bases-differ" and "layout" in sentence and module.B.x == 1


def test_type_variables_of_a_generic_class(project: Project) -> None:
    text = """\
        from typing import Generic, Protocol, TypeVar
        K = TypeVar("K")
        V = TypeVar("V")
        class Box(Generic[K{}]):
            pass
        class Small(Box[K{}]):
            pass
        class Reader(Protocol{}):
            pass
        class Plain({}):
            pass
        """
    module = project.load("generic", text.format("", "", "", "Box[int]"))
    old = module.Box[int]
    project.edit("generic", text.format(", V", ", V", "[V]", "Box[int, str]"))
    assert module.Box[int, str] and module.Small[int, str] and module.Reader[int]
    assert (module.Box.__parameters__, module.Reader.__parameters__) == ((module.K, module.V), (module.V,))
    assert module.Plain.__parameters__ == () and module.Plain.__orig_bases__ == (module.Box[int, str],)
    project.edit("generic", text.format("", "", "", "Box[int]"))
    assert module.Box[int] == old and module.Reader.__parameters__ == ()
    project.sources.undo()
    assert module.Box[int, str] and module.Reader[int]


@pytest.mark.skipif(sys.version_info < (3, 13), reason="type variables have no defaults in `typing` before")
def test_bases_that_subscript_a_class_with_more_type_variables(project: Project) -> None:
    text = """\
        from typing import Any, Generic, TypeVar
        K = TypeVar("K")
        V = TypeVar("V", default=Any)
        class Box(Generic[K{}]):
            pass
        class Ints(Box[int]):
            pass
        """
    module = project.load("generic", text.format(""))
    result = project.edit("generic", text.format(", V"))
    assert names(result) == {"Box": 2}
    assert module.Ints.__orig_bases__[0].__args__ == (int, module.Any)


def test_a_metaclass_is_refused_and_keywords_are_named(project: Project) -> None:
    text = "class M(type):\n    pass\nclass Base:\n    def __init_subclass__(cls, key=0):\n        cls.key = key\nclass A(Base{}):\n    x = 1\n"
    module = project.load("meta", text.format(", key=1"))
    assert refusal(project.edit("meta", text.format(", metaclass=M")))[0] == "metaclass-changed"
    result = project.edit("meta", text.format(", key=2").replace("x = 1", "x = 2"))
    assert codes(result) == ["class-keyword-not-applied"] and (module.A.key, module.A.x) == (1, 2)


def test_a_metaclass_of_the_program_decides_what_attributes_mean(project: Project) -> None:
    text = "class M(type):\n    pass\nclass A(metaclass=M):\n    x = 1\n    def f(self):\n        return 1\n"
    module = project.load("meta", text)
    result = project.edit("meta", text.replace("x = 1", "x = 2").replace("return 1", "return 2"))
    assert set(codes(result)) == {"class-statement-not-run"} and module.A.x == 1 and module.A().f() == 2


def test_what_a_protocol_asks_for(project: Project) -> None:
    text = "from typing import Protocol, runtime_checkable\n@runtime_checkable\nclass P(Protocol):\n    def f(self): ...\n"
    module = project.load("protocol", text)
    only_f = type("F", (), {"f": len})()
    assert isinstance(only_f, module.P)
    project.edit("protocol", text + "    def g(self): ...\n")
    assert not isinstance(only_f, module.P) and isinstance(type("G", (), {"f": len, "g": len})(), module.P)


def test_what_is_abstract(project: Project) -> None:
    text = "import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def f(self):\n        pass\nclass B(A):\n    pass\n"
    module = project.load("abstract", text)
    with pytest.raises(TypeError):
        module.B()
    project.edit("abstract", text.replace("class B(A):\n    pass", "class B(A):\n    def f(self):\n        return 1"))
    assert module.B().f() == 1
    project.edit("abstract", text.replace("    @abc.abstractmethod\n", ""))
    assert module.A().f() is None


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("class A:\n    __slots__ = ('x',)\n", "class A:\n    __slots__ = ('x', 'y')\n", "slots-changed"),
        ("class A:\n    __slots__ = ('x',)\n", "class A:\n    pass\n", "slots-changed"),
        ("class A:\n    __slots__ = ('x',)\n", "class A:\n    __slots__ = ('x', '__dict__')\n", "slots-changed"),
        ("class A:\n    __slots__ = ('x',)\n", "class A:\n    __slots__ = [*'x']\n", "slots-changed"),
        ("import enum\nclass A(enum.Enum):\n    X = 1\n", "import enum\nclass A(enum.Enum):\n    X = 2\n", "enum-members"),
        (
            "import enum\nclass A(enum.Enum):\n    X = 1\n    Y = 2\n",
            "import enum\nclass A(enum.Enum):\n    Y = 2\n",
            "enum-members",
        ),
        (
            "import typing\nclass A(typing.NamedTuple):\n    x: int\n",
            "import typing\nclass A(typing.NamedTuple):\n    x: int\n    y: int\n",
            "namedtuple-fields",
        ),
        (
            "import dataclasses\n@dataclasses.dataclass(slots=True)\nclass A:\n    x: int\n",
            "import dataclasses\n@dataclasses.dataclass(slots=True)\nclass A:\n    x: int\n    y: int = 0\n",
            "slots-changed",
        ),
    ],
)
def test_what_instances_cannot_bear_is_refused(project: Project, before: str, after: str, code: str) -> None:
    project.load("layout", before)
    assert refusal(project.edit("layout", after))[0] == code


def test_slots_are_taken_out_and_come_back_with_their_values(project: Project) -> None:
    text = "class A:\n    __slots__ = {}\n    def __init__(self):\n        {}\n"
    module = project.load("slots", text.format("('x', 'y', '__z')", "self.x, self.y, self.__z = 1, 2, 3"))
    a, cls = module.A(), module.A
    assert copy.copy(a).y == 2  # `copyreg` notes the slots

    result = project.edit("slots", text.format("['y', 'x', '__z']", "self.x, self.y, self.__z = 1, 2, 3"))
    assert not result.warnings and cls.__slots__ == ["y", "x", "__z"] and a.y == 2

    result = project.edit("slots", text.format("'x'", "self.x = 1"))
    assert not result.warnings and cls.__slots__ == "x" and a.x == copy.copy(a).x == 1
    assert not hasattr(a, "y") and not hasattr(cls, "_A__z")

    project.edit("slots", text.format("('x', 'y')", "self.x = self.y = 5"))
    assert a.y == 2 and copy.copy(a).y == 2 and cls().y == 5 and not hasattr(a, "_A__z")
    project.sources.undo()
    assert not hasattr(a, "y")
    project.sources.undo()
    assert (a.x, a.y, a._A__z) == (1, 2, 3)


def test_a_slot_makes_way_for_a_property(project: Project) -> None:
    module = project.load("slots", "class A:\n    __slots__ = ('x', 'y')\n")
    a = module.A()
    a.x = 1
    project.edit("slots", "class A:\n    __slots__ = ('y',)\n    @property\n    def x(self):\n        return 'computed'\n")
    assert a.x == "computed"
    project.edit("slots", "class A:\n    __slots__ = ('x', 'y')\n")
    assert a.x == 1


def test_slots_of_instances_that_have_a_dictionary_are_not_made(project: Project) -> None:
    text = "class A:\n    {}\n    def __init__(self):\n        self.x = 1\n"
    module = project.load("slots", text.format("size = 1"))
    a = module.A()
    result = project.edit("slots", text.format("__slots__ = ('x', 'y')"))
    assert codes(result) == ["slots-not-applied"] and "slots.py:2" in result.warnings[0].sentence
    a.y = 2
    assert (a.x, a.y, module.A().x) == (1, 2, 1) and "__slots__" not in vars(module.A) and not hasattr(a, "size")
    assert codes(project.edit("slots", text.format("__slots__ = ('x', 'z')"))) == ["slots-not-applied"]
    assert not project.edit("slots", text.format("pass")).warnings

    heir = "class Base:\n    pass\nclass B(Base):\n    {}\n"
    module = project.load("heir", heir.format("__slots__ = ('x',)"))
    b = module.B()
    b.x = 1
    assert codes(project.edit("heir", heir.format("__slots__ = ('x', 'y')"))) == ["slots-not-applied"]
    b.y = 2
    assert codes(project.edit("heir", heir.format("pass"))) == ["slots-not-applied"] and (b.x, b.y) == (1, 2)


@pytest.mark.parametrize("base", ["Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"])
def test_enums_get_more_members(project: Project, base: str) -> None:
    text = f"import enum\nclass E(enum.{base}):\n    A = enum.auto()\n    B = enum.auto()\n"
    module = project.load("members", text)
    cls: Any = module.E
    a, b = cls.A, cls.B
    result = project.edit(
        "members", text + "    C = enum.auto()\n    D = C\n    @property\n    def low(self):\n        return self.name.lower()\n"
    )
    fresh = project.load("members", as_name="members_fresh")
    assert not result.warnings and module.E is cls and cls.A is a and cls["B"] is b
    assert [each.name for each in cls] == [each.name for each in fresh.E] and type(cls.C) is cls and cls.D is cls.C
    assert cls(cls.C.value) is cls.C and cls.C.value == fresh.E.C.value and repr(cls.C) == repr(fresh.E.C)
    assert cls.C.low == a.low.replace("a", "c") and list(cls.__members__) == list(fresh.E.__members__) and cls.C in cls
    if "Flag" in base:
        assert (a | cls.C).value == (fresh.E.A | fresh.E.C).value and ~a == b | cls.C


def test_methods_of_enums_and_named_tuples(project: Project) -> None:
    text = "import enum, typing\nclass E(enum.Enum):\n    X = 1\n    def f(self):\n        return 1\nclass T(typing.NamedTuple):\n    x: int\n    def f(self):\n        return 1\n"
    module = project.load("special", text)
    x, t = module.E.X, module.T(3)
    result = project.edit("special", text.replace("return 1", "return 2\n    def g(self):\n        return 3"))
    assert (x.f(), x.g(), t.f(), t.g()) == (2, 3, 2, 3) and not result.warnings


# Dataclasses


DATACLASS = """\
import dataclasses
from typing import ClassVar

@dataclasses.dataclass{options}
class Point:
    {fields}

    def sum(self):
        return self.x
"""


def point(fields: str, options: str = "") -> str:
    return DATACLASS.format(fields=fields.replace("; ", "\n    "), options=options)


@pytest.mark.parametrize("options", ["", "(frozen=True)", "(order=True, kw_only=True)"])
def test_fields_of_a_dataclass(project: Project, options: str) -> None:
    module = project.load("points", point("x: int; names: list = dataclasses.field(default_factory=list)", options))
    cls = module.Point
    old = cls(x=1)
    result = project.edit("points", point("x: int; names: list = dataclasses.field(default_factory=list); z: int = 5", options))
    assert names(result) == {"Point": 2} and not result.warnings
    new = cls(x=1, z=7)
    assert (old.z, new.z, new.names) == (5, 7, []) and repr(new) == "Point(x=1, names=[], z=7)"
    assert [field.name for field in dataclasses.fields(cls)] == ["x", "names", "z"]
    assert new == cls(x=1, z=7) and new != cls(x=1, z=8)
    if options == "(frozen=True)":
        with pytest.raises(dataclasses.FrozenInstanceError):
            new.x = 2
        assert hash(cls(x=1, names=())) == hash(cls(x=1, names=()))
    project.edit("points", point("x: int = 3; limit: ClassVar[int] = 9", options))
    assert repr(cls()) == "Point(x=3)" and cls.limit == 9 and not hasattr(cls, "z") and cls().sum() == 3


def test_other_options_of_a_dataclass(project: Project) -> None:
    fields = "x: int = 1; names: list = dataclasses.field(default_factory=list)"
    module = project.load("points", point(fields))
    old, cls = module.Point(1), module.Point
    project.edit("points", point(fields, "(order=True)"))
    assert module.Point is cls and cls(2) > old and cls().names == []
    project.edit("points", point(fields, "(repr=False)"))
    assert repr(old).startswith("<points.Point object") and hasattr(cls, "__lt__") is not False
    result = project.edit("points", point(fields, "(slots=True)"))
    assert codes(result) == ["slots-not-applied"] and (old.x, old.names, cls(3).x) == (1, [], 3) and "__slots__" not in vars(cls)


def test_a_dataclass_with_slots(project: Project) -> None:
    fields = "x: int; y: int = 2"
    module = project.load("points", point(fields, "(slots=True)"))
    old, cls = module.Point(1, 5), module.Point
    # Other defaults, annotations, options, and the fields in another order.
    result = project.edit("points", point("y: float = 3; x: int = 4", "(slots=True, order=True)"))
    assert not result.warnings and (old.x, old.y) == (1, 5) and cls().x == 4 and cls() < cls(4)
    assert cls.__slots__ == ("y", "x") and "y=3, x=4" in repr(cls()) and old.sum() == 1
    # A field less, and back.
    project.edit("points", point("x: int = 4", "(slots=True, frozen=True)"))
    assert not hasattr(old, "y") and repr(old) == "Point(x=1)" and hash(old)
    with pytest.raises(dataclasses.FrozenInstanceError):
        old.x = 2
    project.sources.undo()
    assert old.y == 5 and repr(old) == "Point(y=5, x=1)"
    assert refusal(project.edit("points", point("x: int = 4")))[0] == "slots-changed"
    assert refusal(project.edit("points", point("x: int; y: int; z: int", "(slots=True)")))[0] == "slots-changed"
    assert (old.x, old.y) == (1, 5)


def test_a_dataclass_keeps_what_the_user_wrote(project: Project) -> None:
    text = point("x: int; def __repr__(self):;     return 'mine'")
    module = project.load("points", text)
    a = module.Point(1)
    project.edit("points", text.replace("x: int", "x: int\n    y: int = 2").replace("return self.x", "return self.x + self.y"))
    assert repr(a) == "mine" and a.sum() == 3 and module.Point(1, 5).sum() == 6


def test_dataclasses_with_bases_and_registries(project: Project) -> None:
    text = """\
        import dataclasses
        registry = []

        class Registered:
            def __init_subclass__(cls):
                registry.append(cls.__name__)

        @dataclasses.dataclass
        class Base(Registered):
            x: int

        @dataclasses.dataclass
        class Derived(Base):
            y: int = 0
        """
    module = project.load("derived", text)
    derived: Any = module.Derived(1)
    project.edit("derived", text.replace("y: int = 0", "y: int = 1\n            z: int = 2"))
    assert module.registry == ["Base", "Derived"] and module.Derived(1) == module.Derived(1, 1, 2) and derived.z == 2


# Decorators


def test_decorators_are_added_changed_and_removed(project: Project) -> None:
    text = """\
        import functools

        def times(n):
            def decorate(function):
                @functools.wraps(function)
                def wrapper(*args):
                    return function(*args) * n
                return wrapper
            return decorate

        {}
        def f(x):
            return x

        class A:
            {}
            def g(self):
                return 1

        kept = [f]
        """
    module = project.load("decorated", text.format("", ""))
    other = project.load("other", "from decorated import f\n")
    a = module.A()
    result = project.edit("decorated", text.format("@times(2)", "@property"))
    assert names(result) == {"f": 2, "A.g": 2}
    assert module.f(2) == other.f(2) == 4 and a.g == 1
    project.edit("decorated", text.format("@times(3)\n        @times(2)", "@staticmethod").replace("g(self)", "g()"))
    assert module.f(2) == other.f(2) == 12 and a.g() == 1
    project.edit("decorated", text.format("", ""))
    assert module.f(2) == other.f(2) == 2 and module.f is module.kept[0] and a.g() == 1


def test_a_decorator_that_changes_in_the_same_edit_is_the_new_one(project: Project) -> None:
    text = "def twice(f):\n    return lambda: (f(), {})\n{}def g():\n    return 1\n"
    module = project.load("decorator", text.format(1, ""))
    project.edit("decorator", text.format(2, "@twice\n"))
    assert module.g() == (1, 2)


def test_what_removed_decorators_have_left_on_a_function_goes_with_them(project: Project) -> None:
    text = """\
        def mark(function):
            function.marked = True
            return function

        class Tag:
            def __init__(self, **tags):
                self.tags = tags

            def __call__(self, function):
                put_all(function, self.tags)
                setattr(function, "tagged", True)
                return function

        def put_all(function, tags):
            function.tags = tags

        {}
        def f():
            return 1

        class A:
            {}
            def g(self):
                return f
        f.own = "statement"
        """
    module = project.load("marked", text.format("@mark", "@Tag(a=1)"))
    module.f.calls = 5
    project.edit("marked", text.format("@Tag(b=2)", "@mark"))
    assert vars(module.f) == {"own": "statement", "calls": 5, "tags": {"b": 2}, "tagged": True}
    assert vars(module.A.g) == {"marked": True}
    project.edit("marked", text.format("", ""))
    assert vars(module.f) == {"own": "statement", "calls": 5} and not vars(module.A.g)
    project.sources.undo()
    assert vars(module.f) == {"own": "statement", "calls": 5, "tags": {"b": 2}, "tagged": True}
    project.sources.undo()
    assert vars(module.f) == {"own": "statement", "calls": 5, "marked": True} and vars(module.A.g)["tags"] == {"a": 1}


_DECORATORS = """\
import functools

def helper(cls):
    cls.size = {size}

class Builder:
    def __init__(self, cls):
        self.cls = cls

    def build(self):
        helper(self.cls)
        return self.cls

def build(cls=None, **options):
    def wrap(cls):
        return Builder(cls).build()
    return wrap if cls is None else wrap(cls)

def log(function):
    {doc}
    seen.append(function{seen})

    @functools.wraps(function)
    def wrapper(*args):
        return shown(function(*args))
    return wrapper

def shown(value):
    return {shown}

seen = []
"""


def test_what_decorators_made_before_they_changed_is_named(project: Project) -> None:
    before = {"size": 1, "doc": "", "seen": "", "shown": "value"}
    users = "'''\n@return: nothing\n@no..name\n'''\nfrom decorators import build, log\n@build\nclass A:\n    @log\n    def f(self):\n        return 1\n@build()\nclass B:\n    pass\n@log\ndef g():\n    return 2\n"
    project.load("decorators", _DECORATORS.format(**before))
    module = project.load("a_user", users)

    result = project.edit("decorators", _DECORATORS.format(**before | {"size": 2}))
    assert codes(result) == ["decorated-before"] and module.A.size == 1
    assert [(each.qualname, each.line) for each in result.decorated] == [("A", 7), ("B", 12)]
    assert "decorators.py:14: build does" in result.warnings[0].sentence and "of A and B stays" in result.warnings[0].sentence

    result = project.edit("decorators", _DECORATORS.format(**before | {"size": 2, "seen": ".__name__"}))
    assert [each.qualname for each in result.decorated] == ["A.f", "g"]

    # What runs when the functions are called is new, and a docstring does nothing.
    result = project.edit(
        "decorators", _DECORATORS.format(**before | {"size": 2, "seen": ".__name__", "shown": "-value", "doc": "'doc'"})
    )
    assert not result.warnings and not result.decorated and module.g() == -2

    # What is decorated anew is no longer as the old one has made it.
    project.write("decorators", _DECORATORS.format(**before))
    result = project.edit("a_user", users.replace("@build\n", "@build()\n"))
    assert [each.qualname for each in result.decorated] == ["B", "A.f", "g"] and module.A.size == 1


def test_singledispatch_gets_more_cases(project: Project) -> None:
    text = "import functools\n@functools.singledispatch\ndef show(x):\n    return 'any'\n@show.register\ndef _(x: int):\n    return 'int'\n"
    module = project.load("dispatch", text)
    show = module.show
    result = project.edit("dispatch", text.replace("'int'", "'INT'") + "@show.register\ndef _(x: str):\n    return 'str'\n")
    assert (show(1), show("a"), show(None)) == ("INT", "str", "any") and not result.warnings


def test_decorators_of_classes(project: Project) -> None:
    text = "import functools\n{}class A:\n    def __init__(self, x):\n        self.x = x\n    def __eq__(self, o):\n        return self.x == o.x\n    def __lt__(self, o):\n        return self.x < o.x\n"
    module = project.load("ordered", text.format(""))
    a = module.A(1)
    result = project.edit("ordered", text.format("@functools.total_ordering\n"))
    assert names(result) == {"A": 2} and a >= module.A(0)


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("pass", "x: int = 0", "A(x=0)"),
        ("x: int = 0", "x: int = 0\n    y: int = 1", "A(x=0, y=1)"),
        ("y = 1", "x: list = field(default_factory=list)", "A(x=[])"),
        ("x = 1\n    y = 2", "x: int = 3\n    def __repr__(self):\n        return f'{self.x}'", "3"),
    ],
)
def test_a_class_becomes_a_dataclass_together_with_its_fields(project: Project, before: str, after: str, shown: str) -> None:
    text = "from dataclasses import dataclass, field\n{}class A:\n    {}\n"
    module = project.load("fields", text.format("", before))
    a, old = module.A(), dict(vars(module.A))
    assert names(project.edit("fields", text.format("@dataclass\n", after)))["A"] == 2
    assert repr(module.A()) == shown and module.A() == module.A() and module.A.__hash__ is None and isinstance(a, module.A)
    assert project.sources.undo().refusal is None
    assert {name: value for name, value in vars(module.A).items() if not name.startswith("__ann")} == {
        name: value for name, value in old.items() if not name.startswith("__ann")
    }


def test_a_class_decorator_sees_what_the_edit_adds(project: Project) -> None:
    text = "import functools\n{}class A:\n    def __eq__(self, o):\n        return True\n{}"
    module = project.load("ordered", text.format("", ""))
    a = module.A()
    project.edit("ordered", text.format("@functools.total_ordering\n", "    def __lt__(self, o):\n        return False\n"))
    assert a >= module.A()


def test_a_class_decorator_that_makes_another_class_is_refused(project: Project) -> None:
    text = "def remake(cls):\n    cls.touched = True\n    return type(cls.__name__, (cls,), dict())\n{}class A:\n    x = 1\n"
    module = project.load("remade", text.format(""))
    assert refusal(project.edit("remade", text.format("@remake\n")))[0] == "class-replaced"
    assert not hasattr(module.A, "touched")
