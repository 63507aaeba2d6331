"""Lists of common English words, to distinguish sentences from random words without a model.

The lists are short and our own. They decide whether a text has the structure of a sentence, not whether it is good
English.
"""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


ARTICLES = _set("a an the")
_PREPOSITIONS = _set(
    "about above across after against along among around at before behind below beneath beside between beyond by down "
    "during for from in inside into near of off on onto out outside over past since through to toward towards under "
    "until up upon with within without"
)
_CONJUNCTIONS = _set("although and as because but if nor or so than that when while yet")
_PRONOUNS = _set(
    "all another any anyone both each every everybody everyone everything few he her here him his i it its many me "
    "mine more most much my no nobody nothing one other our own same she some somebody someone something such their "
    "them there these they this those us we what which who whom whose you your yours"
)
_AUXILIARIES = _set(
    "am are aren't be been being can can't could couldn't did didn't do does doesn't don't had hadn't has hasn't have "
    "haven't he'd he'll he's i'd i'll i'm i've is isn't it'll it's let's may might must not shall she'd she'll she's "
    "should shouldn't that's there's they'd they'll they're they've was wasn't we'd we'll we're we've were weren't "
    "will won't would wouldn't you'd you'll you're you've"
)
_ADVERBS = _set("again also always even how just never now often only soon still then too very where why")
FUNCTION_WORDS = ARTICLES | _PREPOSITIONS | _CONJUNCTIONS | _PRONOUNS | _AUXILIARIES | _ADVERBS

_REGULAR = _set(
    "accept add adore agree allow amaze amuse announce answer appear apply approach arrange arrive ask attach attend "
    "avoid bake bark bathe become beg begin believe belong block bloom boast boil borrow bring brush bubble build "
    "burn bury bustle buzz call capture care carry cause celebrate chase chat check cheer chirp chop clean clear "
    "climb close collect color come complain complete contact contain continue cook cool count cover crack crawl "
    "creak create cross cry damage dance dare decide decorate deliver describe dine direct disappear discover discuss "
    "doze dream dress drift drip drop drum dry earn echo emerge end enjoy ensure enter escape examine exclaim exhale "
    "expect explain explore express face fade fail fasten fear feature fetch fill finish fish fit fix flash flicker "
    "float flow flutter fly fold follow frame freeze frighten fry gather gaze giggle glance gleam glow grab greet "
    "grill guide handle hang happen hate head heat help hop hope hug hum hunt hurry imagine include increase inform "
    "inhale inspect introduce invent invite join joke jump keep kick kiss knit knock label land last laugh lead lean "
    "learn leave lick lie lift light like line linger link listen live load lock look love lower lure make manage "
    "mark marvel match matter meander melt mend mention mind mingle miss mix move need nestle notice occur offer open "
    "order organize overlook own pack paint park pass pause pay peek peel perch perform pick pile place plan plant "
    "play please plunge point pose pour practice praise prefer prepare present press prevent promise protect prove "
    "provide pull pump purchase push rain raise rattle reach realize receive recognize recommend reflect refresh "
    "relax release rely remain remember remind remove rent repair repeat replace reply request rescue respond rest "
    "restore return reveal ring rinse ripple roar roast roll row rub rush rustle sail save scatter scratch scream "
    "search season seem serve settle share shelter shimmer shine shiver shout show sigh sip sit sketch skip slam "
    "slice slide slip smell smile snap sneak sniff soak soar sound spark sparkle spend spill splash spot spread "
    "sprinkle sprout squeeze stack stain stand stare start stay steam step stir stop store stretch stroll struggle "
    "study stumble suffer suggest support surprise surround sway swing switch talk taste tend thank thrive tick tidy "
    "tie toss touch tour tower train travel treat trim trust try turn twist type uncover unpack update use vanish "
    "visit wait wake walk wander want warm warn wash waste watch water wave wear weave weigh welcome whip whisper "
    "whistle wilt wish wonder work worry wrap yell zoom"
)
_IRREGULAR = _set(
    "ate became began begun bit bite bitten blew blow blown bought break bring broke broken brought built buy came "
    "catch caught choose chose chosen cost cut dig drank draw drawn drew drink drive driven drove drunk dug eat eaten "
    "fall fallen fed feed feel fell felt fight find flew flown fly forget forgive forgot forgotten fought found froze "
    "frozen gave get gets getting give given go goes going gone got grew grow grown hear heard held hid hidden hide "
    "hit hold hung hurt kept knew know known lay led left lend lent let lit lose lost made mean means meant meet met "
    "paid put ran rang read ridden ride rise risen rode rose run rung running said sang sank sat saw say says see "
    "seen sell send sends sent set sew shake shone shook shot shown shut sing sink sleep slept slid sold sought speak "
    "spent spoil spoke spoken sprang steal stick stole stood strike struck stuck sung swam sweep swept swim swum "
    "swung take taken taught teach tear tell tells think thinks thought threw throw thrown told took tore torn "
    "understand understood wear wears went win woke woken won wore wove woven write writes writing written wrote"
)


def _inflected(verb: str) -> set[str]:
    stem = verb.removesuffix("e")
    forms = {verb, f"{verb}s", f"{verb}es", f"{verb}ed", f"{verb}ing", f"{stem}ed", f"{stem}ing"}
    if verb.endswith("y"):
        forms |= {f"{verb[:-1]}ies", f"{verb[:-1]}ied"}
    if len(verb) > 2 and verb[-1] not in "aeiouwy" and verb[-2] in "aeiou":
        forms |= {f"{verb}{verb[-1]}ed", f"{verb}{verb[-1]}ing"}
    return forms


_VERBS = frozenset(form for verb in (*_REGULAR, *_IRREGULAR) for form in _inflected(verb)) | _AUXILIARIES - {"not"}


_NOUNS = _set("anything building ceiling clothing evening everything feeling hundred morning nothing something wedding")
"""Nouns with the ending of a verb."""


def verb_like(word: str) -> bool:
    """Whether a case-folded word is a common verb, or is long and has the ending of a verb."""
    return word in _VERBS or (len(word) > 5 and word.endswith(("ed", "ing")) and word not in _NOUNS)


def function_share(words: list[str]) -> float:
    """The share of function words; 0 for no words. Ordinary English has .35 to .6."""
    return sum(word in FUNCTION_WORDS for word in words) / len(words) if words else 0.0
