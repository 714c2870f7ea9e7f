"""The study behind `gilkit layout`."""

from gilkit.studies.entry import Study

STUDY = Study("layout", "Layout", kind="layout")
