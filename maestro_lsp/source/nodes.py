"""Small readings of tree-sitter-c's syntax trees that every reader of them needs."""

from __future__ import annotations

from tree_sitter import Node

ATOMS = frozenset(("identifier", "field_identifier", "type_identifier"))
SPECIFIERS = frozenset(
    (
        "primitive_type",
        "sized_type_specifier",
        "type_identifier",
        "struct_specifier",
        "union_specifier",
        "enum_specifier",
        "macro_type_specifier",
    )
)


def node_text(node: Node) -> str:
    """The text that a node covers, as the parser read it."""
    return (node.text or b"").decode("utf-8", "surrogatepass")


def inner_declarator(node: Node) -> Node | None:
    """The declarator within a pointer, array, function, parenthesized, attributed or init declarator."""
    inner = node.child_by_field_name("declarator")
    if inner is not None or node.type in ATOMS:
        return inner
    for child in node.named_children:
        if child.type.endswith("declarator") or child.type in ATOMS:
            return child
    return None


def declared_name(declarator: Node) -> str | None:
    """The name in a declarator; None if it is abstract."""
    node: Node | None = declarator
    while node is not None and node.type not in ATOMS:
        node = inner_declarator(node)
    return node_text(node) if node is not None and not node.is_missing else None


def declares_function(declarator: Node) -> bool:
    """Whether a declarator declares a function rather than, say, a pointer to one."""
    node: Node | None = declarator
    function = False
    while node is not None and node.type not in ATOMS:
        if node.type == "function_declarator":
            function = True
        elif node.type in ("pointer_declarator", "array_declarator"):
            function = False
        node = inner_declarator(node)
    return function


def without_parentheses(node: Node) -> Node:
    """The expression within parentheses, however many."""
    while node.type == "parenthesized_expression":
        inner = next((child for child in node.named_children if child.type != "comment"), None)
        if inner is None:
            break
        node = inner
    return node


def storage_of(node: Node) -> str | None:
    """ "static", "extern" or "typedef" of a declaration or function definition; None for none of them."""
    found = None
    for child in node.children:
        if child.type == "storage_class_specifier":
            word = node_text(child)
            if word in ("static", "extern", "typedef"):
                found = word
        elif child.type in ("function_declarator", "init_declarator"):
            break
    return "typedef" if node.type == "type_definition" else found
