"""The compiled build: with ``DESKPULSE_COMPILED=1`` Cython makes C of the modules below, of the same source. Else nothing is compiled.

    make wheel COMPILED=1                                         # dist/deskpulse-….whl for this kind of machine
    DESKPULSE_COMPILED=1 pip install .                            # needs a C compiler and Python's headers

All else about the package is in ``pyproject.toml``.
"""

from __future__ import annotations

import os
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

#: What runs for every event, entity or batch. Left as they are: definitions (contracts, catalogues), which only wrap C already, and what
#: waits for others.
MODULES = (
    "streams/contacts/[!_]*.py",
    "streams/contracts/decode.py",
    "streams/windows/[!_]*.py",
    "streams/kpi/levels.py",
    "streams/kpi/measures/__init__.py",
    "streams/alerts/evaluate.py",
    "streams/alerts/lifecycle.py",
    "streams/entities/[!_]*.py",
    "streams/worker/checkpoint.py",
    "streams/worker/contribution_buffer.py",
    "streams/worker/intake.py",
    "streams/worker/outbox.py",
    "streams/worker/partitioner.py",
    "streams/worker/screen_feed.py",
    "streams/worker/ticker.py",
    "streams/worker/state/entity_flusher.py",
    "streams/worker/state/parts.py",
    "streams/worker/state/progress.py",
    "streams/worker/state/store.py",
    "streams/worker/state/working_state.py",
)


class Compile(build_ext):
    """Translates first; where Cython or the C compiler is missing, the build fails rather than be another than was asked for."""

    def finalize_options(self) -> None:
        """Replace the sources by their translations."""
        from Cython.Build import cythonize

        self.distribution.ext_modules = cythonize(
            self.distribution.ext_modules,
            nthreads=os.cpu_count() or 1,
            build_dir="build/cython",
            # Annotations are for mypy: what is no dict but behaves like one stays welcome.
            compiler_directives={"language_level": 3, "annotation_typing": False},
        )
        self.parallel = os.cpu_count()
        super().finalize_options()


def extensions() -> list[Extension]:
    """One for each module."""
    root = Path(__file__).parent
    paths = sorted(path.relative_to(root) for pattern in MODULES for path in root.glob(pattern))
    return [
        Extension(
            ".".join(path.with_suffix("").parts),
            [path.as_posix()],
            # Whatever Cython gets wrong is to end here, not in a worker.
            extra_compile_args=["-g0", "-Werror=int-conversion", "-Werror=int-to-pointer-cast"],
        )
        for path in paths
    ]


if os.environ.get("DESKPULSE_COMPILED") == "1":
    setup(ext_modules=extensions(), cmdclass={"build_ext": Compile}, setup_requires=["Cython>=3.3,<4"])
else:
    setup()
