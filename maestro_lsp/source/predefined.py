"""What is defined before the first line is read: gcc's own macros on x86-64 Linux, as far as programs ask for
them, and spellings of GNU C that mean the same as standard ones.
"""

from __future__ import annotations

from maestro_lsp.source.macros import Macro, define

_GCC = {
    "__STDC__": "1", "__STDC_HOSTED__": "1", "__STDC_VERSION__": "201112L", "__GNUC__": "12",
    "__GNUC_MINOR__": "2", "__GNUC_PATCHLEVEL__": "0", "__VERSION__": '"12.2.0"', "__OPTIMIZE__": "1",
    "__x86_64__": "1", "__x86_64": "1", "__amd64__": "1", "__amd64": "1", "__linux__": "1", "__linux": "1",
    "linux": "1", "__gnu_linux__": "1", "__unix__": "1", "__unix": "1", "unix": "1", "__ELF__": "1",
    "_LP64": "1", "__LP64__": "1", "__CHAR_BIT__": "8", "__SIZEOF_SHORT__": "2", "__SIZEOF_INT__": "4",
    "__SIZEOF_LONG__": "8", "__SIZEOF_LONG_LONG__": "8", "__SIZEOF_POINTER__": "8", "__SIZEOF_SIZE_T__": "8",
    "__SIZEOF_INT128__": "16", "__SIZEOF_FLOAT__": "4", "__SIZEOF_DOUBLE__": "8", "__SIZEOF_LONG_DOUBLE__": "16",
    "__ORDER_LITTLE_ENDIAN__": "1234", "__ORDER_BIG_ENDIAN__": "4321", "__ORDER_PDP_ENDIAN__": "3412",
    "__BYTE_ORDER__": "__ORDER_LITTLE_ENDIAN__", "__FLOAT_WORD_ORDER__": "__ORDER_LITTLE_ENDIAN__",
    "__SCHAR_MAX__": "0x7f", "__SHRT_MAX__": "0x7fff", "__INT_MAX__": "0x7fffffff",
    "__LONG_MAX__": "0x7fffffffffffffffL", "__LONG_LONG_MAX__": "0x7fffffffffffffffLL",
    "__SIZE_TYPE__": "long unsigned int", "__PTRDIFF_TYPE__": "long int", "__INTPTR_TYPE__": "long int",
    "__UINTPTR_TYPE__": "long unsigned int", "__WCHAR_TYPE__": "int", "__INT8_TYPE__": "signed char",
    "__INT16_TYPE__": "short int", "__INT32_TYPE__": "int", "__INT64_TYPE__": "long int",
    "__UINT8_TYPE__": "unsigned char", "__UINT16_TYPE__": "short unsigned int", "__UINT32_TYPE__": "unsigned int",
    "__UINT64_TYPE__": "long unsigned int", "__INTMAX_TYPE__": "long int", "__UINTMAX_TYPE__": "long unsigned int",
    "__SIZE_MAX__": "0xffffffffffffffffUL", "__INTMAX_MAX__": "0x7fffffffffffffffL",
    "__UINTMAX_MAX__": "0xffffffffffffffffUL", "__PTRDIFF_MAX__": "0x7fffffffffffffffL",
    "__SSE__": "1", "__SSE2__": "1", "__DATE__": '"Jan  1 1970"', "__TIME__": '"00:00:00"',
    "__TIMESTAMP__": '"Thu Jan  1 00:00:00 1970"',
}  # fmt: skip

# Spellings that the parser does not know, and macros of headers that are often missing.
_DIALECT = {
    "__signed__": "signed", "__signed": "signed", "__const": "const", "__const__": "const",
    "__volatile": "volatile", "__restrict": "restrict", "__inline__": "inline",
    "_Thread_local": "__thread", "__typeof__": "typeof", "__typeof": "typeof",
    "__builtin_offsetof(type, member)": "((unsigned long) &((type *) 0)->member)",
    "__builtin_va_arg(list, type)": "(*(type *) __builtin_va_next(list, sizeof(type)))",
    "_Pragma(text)": "", "_Static_assert(...)": "", "__alignof__": "_Alignof", "__alignof": "_Alignof", "__attribute": "__attribute__",
    "__packed": "__attribute__((__packed__))", "__rte_packed": "__attribute__((__packed__))",
}  # fmt: skip


def _table() -> dict[str, Macro]:
    table = {}
    for name, value in (_GCC | _DIALECT).items():
        macro = define(f"{name} {value}")
        assert isinstance(macro, Macro)
        table[macro.name] = macro
    return table


PREDEFINED: dict[str, Macro] = _table()
