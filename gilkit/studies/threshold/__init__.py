"""The study behind `gilkit threshold`."""

from gilkit.studies.entry import Study

STUDY = Study("threshold", "Threshold", kind="threshold")
ROUNDS, MOST_TIMES = 8, 3  # at every size; so many times as many where it is close
