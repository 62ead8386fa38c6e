"""Linear algebra over GF(2) on Python integers: a vector is an int, bit p is its coordinate p.

Takes and gives plain lists of ints, so that a few hundred unknowns cost microseconds and nothing has to be
imported. Echelon forms use the *highest* set bit of a row as its pivot: a caller who numbers the unknowns
that it wants to be rid of above all others finds them eliminated first.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache


def bits(vector: int) -> Iterator[int]:
    """Coordinates that are set in `vector`, ascending."""
    if vector.bit_count() << 3 > vector.bit_length():
        yield from (at for at, bit in enumerate(reversed(f"{vector:b}")) if bit == "1")
        return
    while vector:
        low = vector & -vector
        yield low.bit_length() - 1
        vector ^= low


def parity(vector: int) -> int:
    """Sum over GF(2) of the coordinates of `vector`."""
    return vector.bit_count() & 1


def echelon(rows: Iterable[int]) -> dict[int, int]:
    """Echelon form of the row space: pivot (highest set bit) -> row."""
    pivots: dict[int, int] = {}
    for row in rows:
        extend(pivots, row)
    return pivots


def extend(pivots: dict[int, int], row: int) -> bool:
    """Add `row` to an echelon form in place; False if it was in the row space already."""
    while row:
        pivot = row.bit_length() - 1
        known = pivots.get(pivot)
        if known is None:
            pivots[pivot] = row
            return True
        row ^= known
    return False


def rank(rows: Iterable[int]) -> int:
    """Dimension of the row space."""
    return len(echelon(rows))


@lru_cache(maxsize=1 << 14)
def hankel_rank(bits: int, rows: int, columns: int) -> int:
    """Rank of the matrix whose entry (r, c) is bit r + c of `bits`.

    That is what a run of input bits does to the table index under a key. By columns, which are short, and no further than to full rank,
    which a few more columns than there are rows nearly always have.
    """
    mask = (1 << rows) - 1
    pivots: dict[int, int] = {}
    for at in range(columns):
        column = bits >> at & mask
        while column:
            pivot = column.bit_length()
            known = pivots.get(pivot)
            if known is None:
                pivots[pivot] = column
                if len(pivots) == rows:
                    return rows
                break
            column ^= known
    return len(pivots)


def reduced(pivots: dict[int, int]) -> dict[int, int]:
    """Reduced echelon form, in ascending order of pivots: no row has a bit at another row's pivot."""
    done: dict[int, int] = {}
    mask = 0
    for pivot in sorted(pivots):
        row = pivots[pivot]
        for other in bits(row & mask):
            row ^= done[other]
        done[pivot] = row
        mask |= 1 << pivot
    return done


def nullspace(pivots: dict[int, int], width: int) -> list[int]:
    """Basis of { x of `width` bits : row . x = 0 for every row }; one vector for each free coordinate,
    ascending.
    """
    solved = reduced(pivots)
    free = {position: 1 << position for position in range(width) if position not in solved}
    for pivot, row in solved.items():
        for position in bits(row ^ (1 << pivot)):
            free[position] |= 1 << pivot
    return list(free.values())
