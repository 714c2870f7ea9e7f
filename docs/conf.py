"""How the site is built, with the extra ``docs``: ``python -m sphinx -W --keep-going -b html docs OUT``."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "gilkit"
release = version = installed("gilkit")

extensions = [
    "myst_nb",  # which takes pages of MyST, and runs those that are notebooks
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "registries",
]
exclude_patterns = ["_build", "outputs", "examples"]

smartquotes_action = "qe"  # options keep their two dashes
default_role = "py:obj"  # single backticks in docstrings name an object of the program
nitpicky = True  # what names nothing fails the build
nitpick_ignore_regex = [
    ("py:obj", r"time\.\w+"),  # of the standard library
]
add_module_names = False
autodoc_typehints = "none"  # numpydoc's sections say them in words
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_attributes_as_param_list = True

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3

nb_execution_mode = "force"  # with every build
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_output_stderr = "remove"  # what is said of a busy machine stands in the tables, too

# The button copies what one types, not what is printed.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_line_continuation_character = "\\"

html_theme = "pydata_sphinx_theme"
html_title = "gilkit"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["gilkit.css"]
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_sidebars = {"index": [], "tutorial": [], "notebook": [], "contributing": [], "changelog": []}
html_theme_options = {
    "logo": {"text": "gilkit", "alt_text": "gilkit"},
    "navbar_align": "left",
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "footer_start": [],
    "footer_end": [],
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
}
