"""The study behind `gilkit compare` and `gilkit timeit`."""

from gilkit.studies.entry import Study

STUDY = Study("compare", "Comparison", kind="comparison")
