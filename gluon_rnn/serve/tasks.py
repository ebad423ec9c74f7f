"""From the name of a task to what clients send and get."""
from gluon_rnn.registry import suggest
from gluon_rnn.serve.task_items import ITEM_FORMS
from gluon_rnn.serve.task_parts import PART_FORMS

__all__ = ["FORMS", "task_form"]

#: by the name of a task
FORMS = {**ITEM_FORMS, **PART_FORMS}


def task_form(task, read, limits):
    """Return the `gluon_rnn.serve.form.TaskForm` of a task; `read` and `limits` as there.

    Raises
    ------
    ValueError
        For a task that is not served.
    """
    if task not in FORMS:
        raise ValueError(f"models of the task {task!r} are not served; {suggest(task, list(FORMS))}")
    return FORMS[task](read, limits)
