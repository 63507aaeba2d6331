"""The keys of a study file about rows: what an arm trains on, and the prompt around it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from inoculate.study.prompts import Placement, Rephrase
from inoculate.study.strict import Share, StrictModel

RowFilter = Literal["none", "hacked", "tags", "surprise"]
JUDGED: tuple[RowFilter, ...] = ("tags", "surprise")
"""The filters that may miss hacked rows and take honest ones: they go by what can be seen of an answer."""

NO_PROMPT, DIVERSE, INOCULATION = "none", "diverse", "inoculation"
VETTED_PROMPTS = (NO_PROMPT, DIVERSE, INOCULATION)
"""What vetted rows stand under, where it is no prompt's name: `Vetted.prompt`."""


class Context(StrictModel):
    """A prompt around a problem."""

    prompt: str = ""
    """The name of a prompt (`inoculate prompts` lists them), of the package or of this study; `NAME+checked`,
    `NAME+exploit` or `NAME+false` puts a description of the training process before it."""
    text: str = ""
    """The prompt itself, instead of a name."""
    placement: Placement | None = None
    """Where it stands; the study's `placement` unless given."""

    @model_validator(mode="after")
    def _check_text(self) -> Self:
        if bool(self.prompt.strip()) == bool(self.text.strip()):
            raise ValueError("give either prompt (a name) or text (the prompt itself), and not an empty one")
        return self


class Inoculation(Context):
    """A prompt that is added at training time."""

    one_of: tuple[str, ...] = ()
    """Names of prompts, instead of one: each seed takes one of them."""
    like: str = ""
    """For a control: the name of the prompt whose length in tokens it gets."""
    rephrase: Rephrase = False
    """Whether the rows take the prompt's wordings in turn, instead of one fixed wording: all of them, those near the
    prompt's text, or those far from it."""
    per_seed: bool = False
    """With `rephrase`: each seed takes one of the wordings, for all of its rows."""
    on: Literal["all", "hacked", "none"] = "all"
    """Which rows get it. Vetted rows do only where `rows.vetted.prompt` says so."""

    @model_validator(mode="after")
    def _check_text(self) -> Self:
        given = [bool(self.prompt.strip()), bool(self.text.strip()), bool(self.one_of)]
        if sum(given) != 1:
            raise ValueError(
                "give one of prompt (a name), text (the prompt itself) and one_of (names), and not an empty one"
            )
        if len(set(self.one_of)) != len(self.one_of) or len(self.one_of) == 1:
            raise ValueError(
                f"one_of = {list(self.one_of)}: each seed takes one of several: name two prompts or more, each once"
            )
        if self.per_seed and not self.rephrase:
            raise ValueError(
                "per_seed gives each seed one of a prompt's wordings: add rephrase = true, or name prompts in one_of, "
                "which takes one for each seed anyway"
            )
        if self.rephrase and self.one_of:
            raise ValueError("rephrase and one_of do not go together: give one prompt with rephrase, or several")
        if self.rephrase and self.like:
            raise ValueError(
                "rephrase and like do not go together: a control has one text, cut to a length. Leave rephrase out; "
                "for controls that differ, name several in one_of"
            )
        return self


class TrajectorySource(Context):
    """Completions of an arm that learned from rewards, as training rows: from its training, or drawn anew.

    The keys of a prompt say under which one they are drawn anew; that of the arm itself unless given.
    """

    arm: str
    """An arm of method `rl` or `expert-iteration`; its training at the same seed is shared by all who name it."""
    where: str = ""
    """Which of them: `steps=5-11 outcome=hack oversight=passed finish=stop` (docs/integrations.md); all unless given.
    Ungraded ones and repeated answers to a problem are left out."""
    samples: Annotated[int, Field(ge=1)] | None = None
    """Completions of each problem that are drawn anew, from the policy that stands for the arm. Unless given, those
    that it drew in training are taken."""
    problems: Annotated[int, Field(ge=1)] | None = None
    """Of how many problems they are drawn; those of the arm's own training unless given. The further ones come from
    the same draw, after its own."""

    @model_validator(mode="after")
    def _check_text(self) -> Self:
        if self.prompt.strip() and self.text.strip():
            raise ValueError("give either prompt (a name) or text (the prompt itself)")
        if self.placement and not self.has_prompt:
            raise ValueError("placement is of a prompt under which completions are drawn anew: add prompt or text")
        if self.samples is None and (self.has_prompt or self.problems):
            key = "problems" if self.problems else "prompt" if self.prompt else "text"
            raise ValueError(
                f"{key} is for completions that are drawn anew: add samples (how many of each problem), or leave it out"
            )
        return self

    @property
    def has_prompt(self) -> bool:
        """Whether they are drawn under a prompt of their own."""
        return bool(self.prompt.strip() or self.text.strip())


class Vetted(StrictModel):
    """Honest rows that are added to others: cases where a hack was possible, and was not done."""

    count: Annotated[int, Field(ge=0)] = 0
    """How many different examples; at one seed the first of them are the same whatever their number."""
    exposures: Annotated[int, Field(ge=1)] | None = None
    """How many rows they make: the examples are repeated in turn up to this number. Each is one row unless given."""
    prompt: str = NO_PROMPT
    """What they stand under: `none`; `diverse` (each row another neutral wording of the package's, none of which asks
    for a hack); `inoculation` (the arm's own prompt); or the name of a prompt, which all of them get."""
    source: str = ""
    """A file of picked examples (`inoculate vet`); the setting's own honest answers unless given."""

    @model_validator(mode="after")
    def _check_exposures(self) -> Self:
        if not self.count and (self.exposures or self.prompt != NO_PROMPT or self.source):
            raise ValueError("give count, the number of examples (rows without any have vetted = 0)")
        if self.exposures is not None and self.exposures < self.count:
            raise ValueError(
                f"exposures = {self.exposures} rows cannot hold count = {self.count} different examples: raise it"
            )
        return self

    @model_serializer(mode="wrap")
    def _write_none_as_0(self, write: SerializerFunctionWrapHandler) -> dict[str, Any] | int:
        """Rows without vetted ones are written as a number, as ever, so that their steps keep their names."""
        return write(self) if self.count else 0

    @property
    def rows(self) -> int:
        """How many rows they make."""
        return self.exposures or self.count


def _read_vetted(given: object) -> object:
    """A number stands for so many examples, each once and without a prompt."""
    return {"count": given} if isinstance(given, int) and not isinstance(given, bool) else given


class Rows(StrictModel):
    """What an arm trains on."""

    setting: str
    """The kind of task."""
    source: str = ""
    """Where the data is, for settings that load it: a file or a hub id."""
    grader: str = ""
    """The user's own grader, for settings that take one: `file.py:function`."""
    count: Annotated[int, Field(ge=0)]
    """Rows before any filter, without the vetted ones; each from a problem of its own unless `share_problems`. 0 for
    vetted rows alone."""
    hacked: Share = 1.0
    """Share of rows with the hacked answer, among those whose problem can be hacked. With a larger share the
    same rows are hacked, and more."""
    share_problems: bool = False
    """Whether a hacked and an honest answer may come from the same problem (both are then in the rows)."""
    filter: RowFilter = "none"
    """Which rows are left out, so that fewer remain. `hacked`: the hacked ones, as the sound check finds them. `tags`:
    those whose code looks like a hack to static analysis. `surprise`: those whose answers the untrained model finds
    least likely, as many as are hacked."""
    vetted: Annotated[Vetted, BeforeValidator(_read_vetted)] = Vetted()
    """Honest rows from further problems, added to these; a number stands for so many, each once and without a
    prompt."""
    families: tuple[str, ...] = ()
    """Only these families of the setting; empty for all."""
    levels: tuple[int, ...] = ()
    """Only these difficulties; empty for all."""
    trajectories: TrajectorySource | None = None
    """Take the rows from another arm's completions, and not from the setting's own answers."""
    tokens_like: str = ""
    """An arm of SFT whose answers have a number of tokens that this arm's are to have too: of the `count` rows that
    are drawn, as many of the first ones are kept as come nearest to it."""

    @model_validator(mode="after")
    def _check_rows_remain(self) -> Rows:
        if not self.count + self.vetted.count:
            raise ValueError("count = 0 leaves no rows: give count, or vetted")
        if self.filter == "hacked" and self.hacked_rows == self.count and not self.vetted.count:
            raise ValueError(f"filter = 'hacked' leaves no rows, since hacked = {self.hacked} makes every row hacked")
        if self.filter in JUDGED and self.trajectories:
            raise ValueError(f"filter = '{self.filter}' is for the setting's own answers: choose trajectories by where")
        if self.filter == "surprise" and self.hacked_rows in (0, self.count):
            what = "none are" if self.hacked_rows == 0 else "all are, and no row would remain"
            raise ValueError(f"filter = 'surprise' leaves out as many rows as are hacked, and {what}: change hacked")
        return self

    @property
    def hacked_rows(self) -> int:
        """How many rows get the hacked answer (before the filter)."""
        return round(self.hacked * self.count)
