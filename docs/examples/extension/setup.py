"""Build the extension: pip install -e .."""

from Cython.Build import cythonize
from setuptools import setup

setup(name="variation", ext_modules=cythonize("variation.pyx"))
