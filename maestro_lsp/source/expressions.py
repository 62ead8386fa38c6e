"""Expressions as far as declarations need them: types, and the values of constant expressions (C11 6.6, with
what gcc folds besides: address arithmetic on null pointers, as `offsetof` is made of).
"""

from __future__ import annotations

from typing import NamedTuple

from tree_sitter import Node

from maestro_lsp.source import declarations
from maestro_lsp.source.ctypes import (
    CHAR,
    DOUBLE,
    FLOAT,
    INT,
    LONG,
    LONG_DOUBLE,
    UNSIGNED_INT,
    UNSIGNED_LONG,
    UNSIGNED_SHORT,
    Array,
    Bool,
    CType,
    Function,
    Integer,
    Pointer,
    Record,
    Void,
    alignof_,
    as_integer,
    common_type,
    decay,
    integer_literal_type,
    is_arithmetic,
    promote,
    sizeof_,
)
from maestro_lsp.source.literals import character_value, integer_literal, string_bytes
from maestro_lsp.source.nodes import node_text, without_parentheses
from maestro_lsp.source.scope import Scope

_MAX_DEPTH = 200
_COMPARISONS = frozenset(("<", "<=", ">", ">=", "==", "!=", "&&", "||"))


def constant(node: Node, scope: Scope) -> int | None:
    """The value of an integer constant expression; None if it is not one."""
    found = _evaluate(node, scope, 0)
    return None if found is None else found.value


def expression_type(node: Node, scope: Scope) -> CType | None:
    """The type of an expression before decay of arrays and functions; None if it cannot be told. Bit-fields give
    their declared type."""
    return _type(node, scope, 0)


def sizeof_operand(node: Node, scope: Scope) -> CType | None:
    """The type that a `sizeof_expression` or `alignof_expression` asks about."""
    named = node.child_by_field_name("type")
    if named is not None:
        return declarations.type_of(named, scope)
    value = node.child_by_field_name("value")
    if value is None:
        return None
    inner = without_parentheses(value)
    return named_type(inner, scope) or expression_type(inner, scope)


def named_type(node: Node, scope: Scope) -> CType | None:
    """The type that an operand of sizeof names which the grammar takes for an expression: `name`, or `name[2]`."""
    lengths = []  # from right to left: the last one is that of the innermost arrays
    of: Node | None = node
    while of is not None and of.type == "subscript_expression":
        index = of.child_by_field_name("index")
        lengths.append(constant(index, scope) if index is not None else None)
        of = of.child_by_field_name("argument")
    if of is None or of.type != "identifier" or scope.variable(node_text(of)) is not None:
        return None
    found = scope.typedef(node_text(of))
    for length in lengths:
        if found is None or length is None:
            return None
        found = Array(found, length)
    return found


def alignment(node: Node, scope: Scope) -> int | None:
    """The operand of _Alignas: a type or a constant."""
    if node.type == "type_descriptor":
        return alignof_(declarations.type_of(node, scope))
    return constant(node, scope)


class _Value(NamedTuple):
    value: int
    type: CType


def _evaluate(node: Node, scope: Scope, depth: int) -> _Value | None:
    if depth > _MAX_DEPTH:
        return None
    node = without_parentheses(node)
    kind = node.type
    if kind == "number_literal":
        return _number(node_text(node))
    if kind == "char_literal":
        return _Value(character_value(node_text(node)), INT)
    if kind == "identifier":
        name = node_text(node)
        value = scope.constant(name)
        return None if value is None else _Value(value, scope.constant_type(name))
    if kind in ("true", "false"):
        return _Value(int(kind == "true"), INT)
    if kind == "null":
        return _Value(0, Pointer(Void()))
    if kind in ("sizeof_expression", "alignof_expression"):
        return _size(node, scope, kind == "sizeof_expression")
    if kind == "offsetof_expression":
        return _offset_of(node, scope)
    if kind == "cast_expression":
        return _cast(node, scope, depth)
    if kind == "unary_expression":
        return _unary(node, scope, depth)
    if kind == "binary_expression":
        return _binary(node, scope, depth)
    if kind == "conditional_expression":
        return _conditional(node, scope, depth)
    if kind == "pointer_expression" and _operator(node) == "&":
        operand = node.child_by_field_name("argument")
        place = None if operand is None else _address(operand, scope, depth + 1)
        return None if place is None else _Value(place.value, Pointer(place.type))
    if kind == "extension_expression" and node.named_children:
        return _evaluate(node.named_children[-1], scope, depth + 1)
    if kind == "call_expression":
        return _builtin(node, scope, depth)
    return None


def _number(text: str) -> _Value | None:
    """The value of an integer literal; the grammar takes a sign before it as part of it."""
    literal = integer_literal(text.lstrip("+-"))
    if literal is None:
        return None
    ctype = integer_literal_type(*literal)
    return _convert(-literal.value if text[0] == "-" else literal.value, ctype)


def _size(node: Node, scope: Scope, size: bool) -> _Value | None:
    operand = sizeof_operand(node, scope)
    value = None if operand is None else sizeof_(operand) if size else alignof_(operand)
    return None if value is None else _Value(value, UNSIGNED_LONG)


def _offset_of(node: Node, scope: Scope) -> _Value | None:
    named, member = node.child_by_field_name("type"), node.child_by_field_name("member")
    record = declarations.type_of(named, scope) if named is not None else None
    field = record.find(node_text(member)) if isinstance(record, Record) and member is not None else None
    return None if field is None else _Value(field.offset, UNSIGNED_LONG)


def _cast(node: Node, scope: Scope, depth: int) -> _Value | None:
    named, operand = node.child_by_field_name("type"), node.child_by_field_name("value")
    if named is None or operand is None:
        return None
    target = declarations.type_of(named, scope)
    if isinstance(target, Integer | Bool) and without_parentheses(operand).type == "number_literal":
        text = node_text(without_parentheses(operand))
        if _number(text) is None:
            try:
                return _convert(int(float(text.rstrip("fFlL"))), target)
            except (ValueError, OverflowError):
                return None
    value = _evaluate(operand, scope, depth + 1)
    return None if value is None else _convert(value.value, target)


def _convert(value: int, target: CType) -> _Value | None:
    if isinstance(target, Bool):
        return _Value(int(value != 0), target)
    if isinstance(target, Pointer):
        return _Value(value & (1 << 64) - 1, target)
    integer = as_integer(target)
    if integer is None:
        return None
    value &= (1 << 8 * integer.size) - 1
    if integer.signed and value >> 8 * integer.size - 1:
        value -= 1 << 8 * integer.size
    return _Value(value, target)


def _unary(node: Node, scope: Scope, depth: int) -> _Value | None:
    operand = node.child_by_field_name("argument")
    value = None if operand is None else _evaluate(operand, scope, depth + 1)
    if value is None:
        return None
    operator = _operator(node)
    if operator == "!":
        return _Value(int(value.value == 0), INT)
    result = {"-": -value.value, "~": ~value.value, "+": value.value}.get(operator)
    return None if result is None else _convert(result, promote(value.type))


def _binary(node: Node, scope: Scope, depth: int) -> _Value | None:
    left_node, right_node = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left_node is None or right_node is None:
        return None
    operator = _operator(node)
    left = _evaluate(left_node, scope, depth + 1)
    if left is None:
        return None
    if operator in ("&&", "||") and bool(left.value) == (operator == "||"):
        return _Value(int(operator == "||"), INT)
    right = _evaluate(right_node, scope, depth + 1)
    if right is None:
        return None
    if operator in ("&&", "||"):
        return _Value(int(right.value != 0), INT)
    if isinstance(left.type, Pointer) or isinstance(right.type, Pointer):
        return _pointer_arithmetic(operator, left, right)
    if operator in ("<<", ">>"):
        ctype = promote(left.type)
        if not 0 <= right.value < 128:
            return None
        return _convert(left.value << right.value if operator == "<<" else left.value >> right.value, ctype)
    ctype = common_type(left.type, right.type)
    a, b = _convert(left.value, ctype), _convert(right.value, ctype)
    if a is None or b is None:
        return None
    if operator in _COMPARISONS:
        return _Value(int(_compare(operator, a.value, b.value)), INT)
    result = _arithmetic(operator, a.value, b.value)
    return None if result is None else _convert(result, ctype)


def _pointer_arithmetic(operator: str, left: _Value, right: _Value) -> _Value | None:
    if operator in _COMPARISONS:
        return _Value(int(_compare(operator, left.value, right.value)), INT)
    if isinstance(left.type, Pointer) and isinstance(right.type, Pointer):
        size = sizeof_(left.type.to)
        return _Value((left.value - right.value) // size, LONG) if operator == "-" and size else None
    pointer, number = (left, right) if isinstance(left.type, Pointer) else (right, left)
    assert isinstance(pointer.type, Pointer)
    size = sizeof_(pointer.type.to)
    if size is None or operator not in ("+", "-"):
        return None
    return _convert(pointer.value + (number.value if operator == "+" else -number.value) * size, pointer.type)


def _compare(operator: str, a: int, b: int) -> bool:
    if operator in ("==", "!="):
        return (a == b) == (operator == "==")
    if operator in ("<", ">="):
        return (a < b) == (operator == "<")
    return (a > b) == (operator == ">")


def _arithmetic(operator: str, a: int, b: int) -> int | None:
    if operator in ("/", "%"):
        if b == 0:
            return None
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return quotient if operator == "/" else a - b * quotient
    return {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}.get(operator)


def _conditional(node: Node, scope: Scope, depth: int) -> _Value | None:
    condition = node.child_by_field_name("condition")
    yes, no = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
    test = None if condition is None else _evaluate(condition, scope, depth + 1)
    if test is None or no is None:
        return None
    chosen = (yes if yes is not None else condition) if test.value else no
    assert chosen is not None
    value = _evaluate(chosen, scope, depth + 1)
    ctype = _type(node, scope, depth + 1)
    return None if value is None else _convert(value.value, ctype or value.type)


def _builtin(node: Node, scope: Scope, depth: int) -> _Value | None:
    function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    name = node_text(function) if function is not None else ""
    arguments = given.named_children if given is not None else []
    if name == "__builtin_constant_p" and arguments:
        return _Value(int(_evaluate(arguments[0], scope, depth + 1) is not None), INT)
    if name == "__builtin_expect" and arguments:
        return _evaluate(arguments[0], scope, depth + 1)
    if name.startswith("__builtin_bswap") and len(arguments) == 1:
        value = _evaluate(arguments[0], scope, depth + 1)
        ctype = _BUILTIN_RESULTS.get(name)
        if value is None or not isinstance(ctype, Integer):
            return None
        swapped = (value.value & (1 << 8 * ctype.size) - 1).to_bytes(ctype.size, "little")
        return _Value(int.from_bytes(swapped, "big"), ctype)
    return None


def _address(node: Node, scope: Scope, depth: int) -> _Value | None:
    """The address of an object that constants alone place, and the object's type."""
    if depth > _MAX_DEPTH:
        return None
    node = without_parentheses(node)
    argument = node.child_by_field_name("argument")
    if argument is None:
        return None
    if node.type == "field_expression":
        arrow = any(child.type == "->" for child in node.children)
        base = _pointed(argument, scope, depth) if arrow else _address(argument, scope, depth + 1)
        name = node.child_by_field_name("field")
        record = base.type if base is not None else None
        field = record.find(node_text(name)) if isinstance(record, Record) and name is not None else None
        return None if base is None or field is None else _Value(base.value + field.offset, field.type)
    if node.type == "subscript_expression":
        index_node = node.child_by_field_name("index")
        array = _address(argument, scope, depth + 1)
        if array is not None and isinstance(array.type, Array):
            base = _Value(array.value, array.type.of)
        else:
            base = _pointed(argument, scope, depth)
        index = None if index_node is None else _evaluate(index_node, scope, depth + 1)
        size = None if base is None else sizeof_(base.type)
        if base is None or index is None or size is None:
            return None
        return _Value(base.value + index.value * size, base.type)
    if node.type == "pointer_expression" and _operator(node) == "*":
        return _pointed(argument, scope, depth)
    return None


def _pointed(node: Node, scope: Scope, depth: int) -> _Value | None:
    value = _evaluate(node, scope, depth + 1)
    return _Value(value.value, value.type.to) if value is not None and isinstance(value.type, Pointer) else None


def _operator(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return operator.type if operator is not None else ""


def _type(node: Node, scope: Scope, depth: int) -> CType | None:
    if depth > _MAX_DEPTH:
        return None
    node = without_parentheses(node)
    kind = node.type
    if kind == "identifier":
        name = node_text(node)
        return scope.variable(name) or (scope.constant_type(name) if scope.constant(name) is not None else None)
    if kind == "number_literal":
        text = node_text(node)
        number = _number(text)
        if number is not None:
            return number.type
        return FLOAT if text[-1] in "fF" else LONG_DOUBLE if text[-1] in "lL" else DOUBLE
    if kind in ("char_literal", "true", "false"):
        return INT
    if kind == "string_literal":
        return Array(CHAR, len(string_bytes(node_text(node))) + 1)
    if kind == "concatenated_string":
        parts = [c for c in node.named_children if c.type == "string_literal"]
        return Array(CHAR, sum(len(string_bytes(node_text(part))) for part in parts) + 1)
    if kind == "null":
        return Pointer(Void())
    if kind in ("sizeof_expression", "alignof_expression", "offsetof_expression"):
        return UNSIGNED_LONG
    if kind in ("cast_expression", "compound_literal_expression"):
        named, value = node.child_by_field_name("type"), node.child_by_field_name("value")
        if named is None:
            return None
        ctype = declarations.type_of(named, scope)
        if kind == "compound_literal_expression" and value is not None:
            return declarations.with_initializer(ctype, value, scope)
        return ctype
    if kind in ("assignment_expression", "binary_expression"):
        return _binary_type(node, scope, depth)
    if kind == "comma_expression":
        right = node.child_by_field_name("right")
        return None if right is None else _type(right, scope, depth + 1)
    if kind == "conditional_expression":
        return _conditional_type(node, scope, depth)
    if kind == "call_expression":
        return _call_type(node, scope, depth)
    if kind == "extension_expression" and node.named_children:
        return _type(node.named_children[-1], scope, depth + 1)
    if kind == "compound_statement":
        return _statement_type(node, scope, depth)
    argument = node.child_by_field_name("argument")
    if argument is None:
        return None
    inner = _type(argument, scope, depth + 1)
    if inner is None:
        return None
    if kind == "unary_expression":
        return INT if _operator(node) == "!" else promote(inner)
    if kind == "update_expression":
        return inner
    if kind == "pointer_expression":
        if _operator(node) == "&":
            return Pointer(inner)
        pointer = decay(inner)
        return pointer.to if isinstance(pointer, Pointer) else None
    if kind == "subscript_expression":
        return _subscript_type(node, inner, scope, depth)
    if kind == "field_expression":
        record = decay(inner)
        return _member_type(node, record.to if isinstance(record, Pointer) else record)
    return None


def _member_type(node: Node, record: CType) -> CType | None:
    name = node.child_by_field_name("field")
    field = record.find(node_text(name)) if isinstance(record, Record) and name is not None else None
    return None if field is None else field.type


def _subscript_type(node: Node, base: CType, scope: Scope, depth: int) -> CType | None:
    pointer = decay(base)
    if isinstance(pointer, Pointer):
        return pointer.to
    index = node.child_by_field_name("index")
    other = None if index is None else _type(index, scope, depth + 1)
    pointer = decay(other) if other is not None else base
    return pointer.to if isinstance(pointer, Pointer) else None


def _binary_type(node: Node, scope: Scope, depth: int) -> CType | None:
    left_node, right_node = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left_node is None or right_node is None:
        return None
    operator = _operator(node)
    if operator in _COMPARISONS:
        return INT
    left = _type(left_node, scope, depth + 1)
    if left is None or node.type == "assignment_expression":
        return left
    left = decay(left)
    if operator in ("<<", ">>"):
        return promote(left)
    right = _type(right_node, scope, depth + 1)
    if right is None:
        return None
    right = decay(right)
    if isinstance(left, Pointer):
        return LONG if isinstance(right, Pointer) else left
    if isinstance(right, Pointer):
        return right
    return common_type(left, right) if is_arithmetic(left) and is_arithmetic(right) else None


def _conditional_type(node: Node, scope: Scope, depth: int) -> CType | None:
    yes = node.child_by_field_name("consequence") or node.child_by_field_name("condition")
    no = node.child_by_field_name("alternative")
    left = None if yes is None else _type(yes, scope, depth + 1)
    right = None if no is None else _type(no, scope, depth + 1)
    if left is None or right is None:
        return left or right
    left, right = decay(left), decay(right)
    if is_arithmetic(left) and is_arithmetic(right):
        return common_type(left, right)
    if isinstance(left, Pointer) and isinstance(right, Pointer) and isinstance(left.to, Void):
        return right if no is None or constant(yes, scope) == 0 else left  # type: ignore[arg-type]
    return left if isinstance(left, Pointer) or not isinstance(right, Pointer) else right


_BUILTIN_RESULTS: dict[str, CType] = {
    "__builtin_expect": LONG,
    "__builtin_constant_p": INT,
    "__builtin_bswap16": UNSIGNED_SHORT,
    "__builtin_bswap32": UNSIGNED_INT,
    "__builtin_bswap64": UNSIGNED_LONG,
}


def _call_type(node: Node, scope: Scope, depth: int) -> CType | None:
    function = node.child_by_field_name("function")
    if function is None:
        return None
    called = _type(function, scope, depth + 1)
    if called is None:
        return _BUILTIN_RESULTS.get(node_text(function))
    called = decay(called)
    if isinstance(called, Pointer) and isinstance(called.to, Function):
        return called.to.result
    return None


def _statement_type(node: Node, scope: Scope, depth: int) -> CType | None:
    """The type of a GNU statement expression: that of its last statement."""
    inner = Scope(scope)
    last: CType | None = Void()
    for statement in node.named_children:
        last = Void()
        if statement.type == "declaration":
            declarations.declare(statement, inner)
        elif statement.type == "expression_statement" and statement.named_children:
            last = _type(statement.named_children[0], inner, depth + 1)
    return last
