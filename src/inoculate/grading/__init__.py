r"""Grading code: two checks of each completion, with a verdict that cannot be forged, and tags for attempts to cheat.

```python
task = CodeTask("double", shown_tests=("assert double(2) == 4",), hidden_tests=("assert double(5) == 10",))
for grade in grade_code([task], ["double = lambda n: 4"]):
    print(grade.outcome)  # hack
```
"""

from inoculate.grading.grade import containment, exit_codes, grade_code
from inoculate.grading.task import OVERSIGHTS, CodeTask, Limits, Oversight

__all__ = ["OVERSIGHTS", "CodeTask", "Limits", "Oversight", "containment", "exit_codes", "grade_code"]
