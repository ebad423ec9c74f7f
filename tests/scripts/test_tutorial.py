"""A tutorial becomes a page with its outputs and pictures; one that raises becomes none."""
import pytest

for module in ("jupytext", "nbclient", "nbconvert", "ipykernel"):
    pytest.importorskip(module, reason="the extra docs is not installed")
from scripts import tutorial

SOURCE = """# %% [markdown]
# # Title
#
# Words.

# %%
print(6 * 7)

# %%
import matplotlib.pyplot as plt
plt.plot([1, 2])
"""


def test_outputs_and_pictures_are_in_the_page(tmp_path):
    path = tmp_path / "small.py"
    path.write_text(SOURCE)
    assert tutorial.main([str(path)]) == 0
    text = (tmp_path / "small.md").read_text()
    pictures = list((tmp_path / "small_files").glob("*.png"))
    assert text.startswith("# Title\n\nWords.\n") and "    42\n" in text
    assert len(pictures) == 1 and f"](small_files/{pictures[0].name})" in text


def test_a_cell_that_raises_fails_and_leaves_the_old_page(tmp_path, capsys):
    path, page = tmp_path / "small.py", tmp_path / "small.md"
    path.write_text("# %%\n1 / 0\n")
    page.write_text("as it was")
    assert tutorial.main([str(path)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err and page.read_text() == "as it was"
