"""What the operators mean: 64-bit two's complement, for constant folding and for the evaluator alike.

Values are Python integers in the signed 64-bit range, whatever the signedness of their type.
"""

from __future__ import annotations

from typing import Callable

_BITS = 64
_MASK = (1 << _BITS) - 1
_SIGN = 1 << (_BITS - 1)


def wrap(value: int) -> int:
    """The value modulo 2**64, as a signed number."""
    return ((value + _SIGN) & _MASK) - _SIGN


def unsigned(value: int) -> int:
    """The same 64 bits read as an unsigned number."""
    return value & _MASK


def convert(value: int, size: int, signed: bool) -> int:
    """Cut to `size` bytes, then extend to 64 bits by sign or by zero."""
    bits = 8 * size
    low = value & ((1 << bits) - 1)
    if signed and low >> (bits - 1):
        low -= 1 << bits
    return wrap(low)


def divide(left: int, right: int) -> int:
    """The quotient truncated towards zero; 0 where `right` is 0."""
    if right == 0:
        return 0
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def remainder(left: int, right: int) -> int:
    """What `divide` leaves, with the sign of `left`; 0 where `right` is 0, as the quotient is."""
    return left - divide(left, right) * right if right else 0


_BY_SIGN: dict[str, Callable[[int, int], int]] = {
    "/": divide,
    "%": remainder,
    "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b),
    ">=": lambda a, b: int(a >= b),
}
_BY_BITS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "<<": lambda a, b: a << (b % _BITS),
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
}
COMPARISONS = frozenset(("<", "<=", ">", ">=", "==", "!="))


def binary(op: str, left: int, right: int, signed: bool) -> int:
    """`left op right`; a comparison gives 0 or 1. Shift counts are taken modulo 64.

    Raises KeyError for an operator that is not one of C's on integers.
    """
    if op == ">>":
        return wrap((left if signed else unsigned(left)) >> (right % _BITS))
    if op in _BY_SIGN:
        return wrap(_BY_SIGN[op](left, right) if signed else _BY_SIGN[op](unsigned(left), unsigned(right)))
    return wrap(_BY_BITS[op](left, right))


def unary(op: str, value: int) -> int:
    """`!`, `~` or `-`."""
    if op == "!":
        return int(value == 0)
    return wrap(~value if op == "~" else -value)
