"""Frozen dataclasses that cost nothing to declare: `dataclass`, `field` and `replace` as those of `dataclasses`.

The standard library generates and compiles source text for each class, at every start (docs/decisions/0004). This does
the same at run time with one `__init__` for all classes, for what the project uses: frozen classes. Type checkers see
the standard library's; `dataclasses.replace`, `fields` and `asdict` work on these classes, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, field, replace
else:
    _MISSING = object()

    class _Field:
        __slots__ = ("compare", "default", "default_factory", "repr")

        def __init__(self, *, default=_MISSING, default_factory=None, repr=True, compare=True):  # noqa: A002
            self.default, self.default_factory, self.repr, self.compare = default, default_factory, repr, compare

    field = _Field

    def dataclass(*, frozen: bool, kw_only: bool = False) -> Callable[[type], type]:
        """Make a class a frozen dataclass."""
        if not frozen:
            raise TypeError("only frozen classes; for others there is `dataclasses`")

        def decorate(cls: type) -> type:
            fields: dict[str, _Field] = {}
            for base in reversed(cls.__mro__[1:]):
                fields |= vars(base).get("_value_fields", {})
            for name, annotation in vars(cls).get("__annotations__", {}).items():
                if not annotation.startswith("ClassVar"):
                    default = vars(cls).get(name, _MISSING)
                    fields[name] = default if isinstance(default, _Field) else _Field(default=default)
                    if default is not _MISSING:
                        delattr(cls, name)
            cls._value_fields = fields
            cls._value_names = () if kw_only else tuple(fields)
            cls.__match_args__ = cls._value_names
            cls.__dataclass_fields__ = _STANDARD_FIELDS
            for name, function in _METHODS.items():
                if name not in vars(cls):
                    setattr(cls, name, function)
            return cls

        return decorate

    def replace(value: Any, **changes: Any) -> Any:
        """Return the same value but for these fields."""
        return type(value)(**({name: getattr(value, name) for name in type(value)._value_fields} | changes))

    def _init(self: Any, *arguments: Any, **values: Any) -> None:
        cls = type(self)
        if arguments:
            if len(arguments) > len(cls._value_names):
                raise TypeError(f"{cls.__name__} takes no so many values without a name")
            for name, value in zip(cls._value_names, arguments, strict=False):
                if name in values:
                    raise TypeError(f"{cls.__name__} is given {name} twice")
                values[name] = value
        state = self.__dict__
        for name, declared in cls._value_fields.items():
            value = values.pop(name, _MISSING)
            if value is _MISSING:
                value = declared.default_factory() if declared.default_factory else declared.default
                if value is _MISSING:
                    raise TypeError(f"{cls.__name__} lacks {name}")
            state[name] = value
        if values:
            raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(values))}")
        if hasattr(cls, "__post_init__"):
            self.__post_init__()

    def _compared(self: Any) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name, declared in type(self)._value_fields.items() if declared.compare)

    def _eq(self: Any, other: object) -> bool:
        return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented

    def _hash(self: Any) -> int:
        return hash(_compared(self))

    def _repr(self: Any) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name, f in type(self)._value_fields.items() if f.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _frozen(_self: Any, name: str, *_: Any) -> None:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to or delete field {name!r}")

    _METHODS = {
        "__init__": _init,
        "__eq__": _eq,
        "__hash__": _hash,
        "__repr__": _repr,
        "__setattr__": _frozen,
        "__delattr__": _frozen,
    }

    class _StandardFields:
        """`__dataclass_fields__`, made when somebody asks for it."""

        def __get__(self, _: object, cls: type) -> dict[str, Any]:
            import dataclasses

            def standard(declared: _Field) -> Any:
                said = {"repr": declared.repr, "compare": declared.compare, "kw_only": True}
                if declared.default_factory:
                    said["default_factory"] = declared.default_factory
                elif declared.default is not _MISSING:
                    said["default"] = declared.default
                return dataclasses.field(**said)

            rows = [(name, "object", standard(declared)) for name, declared in cls._value_fields.items()]
            return dataclasses.make_dataclass(cls.__name__, rows).__dataclass_fields__

    _STANDARD_FIELDS = _StandardFields()

__all__ = ["dataclass", "field", "replace"]
