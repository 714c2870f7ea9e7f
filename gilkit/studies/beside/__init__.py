"""The study behind `gilkit beside`."""

from gilkit.studies.entry import Study

STUDY = Study("beside", "Beside", kind="beside")
