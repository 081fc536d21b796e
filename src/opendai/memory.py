"""The memory of the process, as the C library keeps it. Only glibc is told anything."""

import ctypes
from functools import cache

# <malloc.h>: the parameter of mallopt that limits the number of arenas.
_M_ARENA_MAX = -8
_ARENAS = 2


@cache
def _c_library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


def use_few_arenas() -> None:
    """Let threads share their arenas: each arena keeps what its busiest moment needed."""
    library = _c_library()
    if library is not None:
        library.mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return free memory to the system, such as what only the start of the server needed."""
    library = _c_library()
    if library is not None:
        library.malloc_trim(0)
