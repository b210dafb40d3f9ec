"""What fresh seeds answer: from the questions and the records of their runs to verdicts by rule 2.

The fields of a question are explained in ``book/reported/README.md``, what becomes of an answer on the page
*How to read*. Where a field could mean several things, or a record does not hold what is asked, the claim is
not answered, and the answer says why.
"""

from hsu_lib.runs.answers.answer import Answer, Comparison, Shape, Way
from hsu_lib.runs.answers.asking import answers
from hsu_lib.runs.answers.seedwise import Unanswered

__all__ = ["Answer", "Comparison", "Shape", "Unanswered", "Way", "answers"]
