"""The compiled modules; everything else is in pyproject.toml."""

import os
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HEADERS = sorted(path.as_posix() for path in Path("ext").glob("*.h"))
MODULES = sorted(path.stem for path in Path("ext").glob("*.pyx"))
GIL_STATE = Path("ext/gil_state.c")  # the only file that needs the interpreter's internal headers
ALSO = {name: [str(GIL_STATE)] for name in ("_modules", "_monitor", "_samples", "_threads")}
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "freethreading_compatible": True,
}
# The same bits on every machine: no contraction into fused multiply-adds, no -march=native, no -ffast-math.
FLAGS = {"msvc": ["/O2", "/fp:precise"]}
UNIX_FLAGS = ["-O3", "-ffp-contract=off"]
OPENMP_FLAGS = {"msvc": ["/openmp"]}
UNIX_OPENMP_FLAGS = ["-fopenmp"]
MOST_AT_ONCE = 4  # modules that are compiled beside one another, as far as there are CPUs: each takes memory
SETTINGS = ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS")  # of the environment


class BuildExt(build_ext):
    """Compile with OpenMP where the compiler has it; say so in one line where there is no compiler."""

    translating = threading.Lock()  # Cython may not be used by several threads

    def build_extensions(self):
        kind = self.compiler.compiler_type
        if why := self.refuses("int main(void) { return 0; }"):
            sys.exit(
                f"{why}gilkit: installing from source needs a C compiler, and none works here: "
                f"{self.flags_to_blame() or 'install gcc, clang or MSVC'}"
            )
        if why := self.refuses("#include <Python.h>\nint main(void) { return 0; }"):
            sys.exit(
                f"{why}gilkit: installing from source needs Python's C headers, and they are missing here: "
                f"install the development package of Python {sys.version_info.major}.{sys.version_info.minor}"
            )
        say(f"compiling {len(self.extensions)} modules with {self.compiler_words()}")
        openmp = OPENMP_FLAGS.get(kind, UNIX_OPENMP_FLAGS)
        program = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }"
        if why := self.refuses(program, openmp):
            say("left out: the native variant: the compiler has no OpenMP", why)
            openmp = []
        for extension in self.extensions:
            extension.extra_compile_args = FLAGS.get(kind, UNIX_FLAGS) + openmp
            extension.extra_link_args = [] if kind == "msvc" else openmp
            if str(GIL_STATE) in extension.sources and (
                why := self.refuses(GIL_STATE.read_text(), link=False)
            ):
                say("left out: the GIL monitor: this Python's internal headers do not fit", why)
                extension.define_macros = [("GILKIT_NO_GIL_STATE", "1")]
        self.parallel = self.parallel or min(MOST_AT_ONCE, os.cpu_count() or 1)
        super().build_extensions()

    def build_extension(self, extension):
        flags = " ".join(
            [*extension.extra_compile_args, *(f"-D{name}" for name, _ in extension.define_macros)]
        )
        say(f"{extension.name} from {', '.join(extension.sources)} ({flags})")
        with self.translating:
            (translated,) = cythonize(
                extension,
                include_path=["ext"],
                compiler_directives=DIRECTIVES,
                force=self.force,
                quiet=self.verbose == 0,
            )
        extension.sources = translated.sources
        super().build_extension(extension)

    def compiler_words(self):
        """Return what is called to compile."""
        return " ".join(getattr(self.compiler, "compiler_so", [])) or self.compiler.compiler_type

    def refuses(self, program, flags=(), link=True):
        """Return what the compiler says where it makes no executable of ``program``; or no object file.

        Returns
        -------
        str
            Its words and what failed; empty where it works.
        """
        with tempfile.TemporaryDirectory() as folder, heard() as words:
            source = Path(folder, "probe.c")
            source.write_text(program)
            try:
                objects = self.compiler.compile(
                    [str(source)], folder, include_dirs=["ext"], extra_postargs=list(flags)
                )
                if link:
                    self.compiler.link_executable(
                        objects, str(Path(folder, "probe")), extra_postargs=list(flags)
                    )
            except Exception as error:  # noqa: BLE001 (compilers fail in many ways, and each means no)
                return f"{words()}{error}\n"
        return ""

    @staticmethod
    def flags_to_blame():
        """Return the settings of the environment that the compiler was given, if there are any."""
        found = [f"{name}={value!r}" for name in SETTINGS if (value := os.environ.get(name))]
        return f"look at {', '.join(found)}, or install gcc, clang or MSVC" if found else ""


def say(what, why=""):
    """Print what is compiled or left out, for ``pip install -v``, with what the compiler said of it."""
    print(f"gilkit: {what}", file=sys.stderr, flush=True)
    for line in why.strip().splitlines():
        print(f"    {line}", file=sys.stderr, flush=True)


@contextmanager
def heard():
    """Keep what programs print to standard error meanwhile; yields a function that returns it."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as file:
        before = os.dup(2)
        os.dup2(file.fileno(), 2)

        def words():
            file.seek(0)
            return file.read().decode(errors="replace")

        try:
            yield words
        finally:
            os.dup2(before, 2)
            os.close(before)


setup(
    ext_modules=[
        Extension(
            f"gilkit._ext.{name}",
            [f"ext/{name}.pyx", *ALSO.get(name, [])],
            depends=HEADERS,
        )
        for name in MODULES
    ],
    cmdclass={"build_ext": BuildExt},
)
