"""Compile with numba, cached on disk where the folder can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

prange = numba.prange
"""Range whose turns numba may run in parallel."""

THREADS: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
"""Threads that compiled work may take: those of the machine unless numba is told."""

Function = TypeVar("Function", bound=Callable[..., Any])


def njit(**options: Any) -> Callable[[Function], Function]:  # noqa: ANN401
    """Compile a function with numba, cached on disk when that is possible.

    Parameters
    ----------
    **options
        Options of :func:`numba.njit`; ``error_model`` is ``"numpy"`` by default.

    Returns
    -------
    decorator : callable
        Decorator that returns the compiled function.
    """
    settings = {"error_model": "numpy", **options}

    def compile_function(function: Function) -> Function:
        try:
            compiled = numba.njit(cache=True, **settings)(function)
        except RuntimeError:
            # numba raises at import where neither the package folder nor the user's
            # cache folder can be written: compile anew in each process instead.
            compiled = numba.njit(**settings)(function)
        return compiled  # type: ignore[no-any-return]

    return compile_function
