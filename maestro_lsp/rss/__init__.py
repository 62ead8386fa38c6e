"""RSS keys that make the packets that must meet reach the same queue: every valid key, the best one, and a
proof.

Stands alone: state devices and requirements, call `solve`. Nothing here needs a network function or libVig.

    from maestro_lsp import rss
    tuple4 = rss.HashInput.of("ipv4-tcp", "ipv4.src", "ipv4.dst", "l4.src", "l4.dst")
    session = rss.all_equal(["ipv4.src", "ipv4.dst"], ["ipv4.dst", "ipv4.src"],
                            ["l4.src", "l4.dst"], ["l4.dst", "l4.src"])
    space = rss.solve([rss.Device(0, (tuple4,))], [rss.Requirement(0, 0, session)])
    space.random(seed=1)[0].hex()
"""

from .constraint import Conjunction, Equality, Equation, Requirement, all_equal, equal, equations, from_matrix
from .fields import PACKET_CLASSES, Field, FieldError, parse
from .predicate import Formula, FormulaError
from .solve import Device, HashInput, KeySpace, QueueBits, SpecError, solve

__all__ = [
    "PACKET_CLASSES",
    "Conjunction",
    "Device",
    "Equality",
    "Equation",
    "Field",
    "FieldError",
    "Formula",
    "FormulaError",
    "HashInput",
    "KeySpace",
    "QueueBits",
    "Requirement",
    "SpecError",
    "all_equal",
    "equal",
    "equations",
    "from_matrix",
    "parse",
    "solve",
]
