"""What can be drawn: everything that a study ends with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from gilkit.display.picture_files import check_drawable, check_picture, write_picture
from gilkit.studies.entry import Study

if TYPE_CHECKING:
    import altair as alt


class Drawn:
    """What a study ends with, as a picture. It takes the extra ``report``: Altair and vl-convert."""

    study: ClassVar[Study]

    @property
    def _shown(self) -> Any:
        """What the chart of the study is made of."""
        raise NotImplementedError

    def plot(self, path: str | os.PathLike[str] | None = None) -> alt.LayerChart:
        """Return the picture, which notebooks show; write it to ``path``, if one is given.

        Parameters
        ----------
        path : path, optional
            Ends in .svg, .png or .html.

        Returns
        -------
        altair.LayerChart

        Raises
        ------
        ValueError
            If Altair or vl-convert is missing, if the path has another ending, or if it cannot be written.
        """
        if path is None:
            check_drawable()
        else:
            check_picture(path)
        chart = self.study.chart(self._shown)
        if path is not None:
            write_picture(chart, path)
        return chart
