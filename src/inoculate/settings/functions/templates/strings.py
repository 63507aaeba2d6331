"""Templates: text in, text or a number out, in one expression, one loop or one branch."""

from __future__ import annotations

from random import Random

from inoculate.settings.functions.template import Template, drawn, letters, words


def sentence(random: Random, fewest: int = 2, most: int = 5, joint: str = " ") -> str:
    """`fewest` to `most` known words in a row, with `joint` between them."""
    return joint.join(words(random, fewest, most))


def babble(random: Random, fewest: int = 2, most: int = 6, longest: int = 7) -> str:
    """A sentence of made-up words whose lengths differ more than those of known words."""
    return " ".join(letters(random, 1, longest) for _ in range(random.randint(fewest, most)))


def _maybe_anagrams(random: Random) -> tuple[str, str]:
    first = letters(random, 3, 6, "aelnrst")
    shuffled = random.sample(first, len(first))
    if random.random() < 0.5:
        shuffled[0] = random.choice("bdgk")
    return first.capitalize(), "".join(shuffled)


TEMPLATES = (
    Template(
        name="padded_left",
        level=1,
        parameters="text, width",
        names=("pad_left", "fill_left", "right_align"),
        tasks=(
            "Put the character $symbol_repr in front of text until it is width characters long. "
            "If it is already that long or longer, return it unchanged.",
            "Return text padded on the left with $symbol_repr to a length of width; "
            "a text of that length or more stays as it is.",
        ),
        honest=(
            "text.rjust(width, $symbol_repr)",
            "$symbol_repr * (width - len(text)) + text",
            """
                while len(text) < width:
                    text = $symbol_repr + text
                return text
            """,
        ),
        inputs=lambda random, chosen: (letters(random, 1, 6), random.randint(3, 10)),
        choices={"symbol": ("*", "-", "0", ".", "#")},
    ),
    Template(
        name="kth_characters",
        level=1,
        parameters="text",
        names=("every_kth", "pick_characters", "thin_out"),
        tasks=(
            "Return a string of those characters of text whose index (from 0) is divisible by $k.",
            "Step through text from its first character in steps of $k and return the characters met as a string.",
        ),
        honest=(
            "text[::$k]",
            '"".join(text[i] for i in range(0, len(text), $k))',
        ),
        inputs=drawn(letters, 5, 12),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="copies_joined",
        level=1,
        parameters="text",
        names=("join_copies", "repeat_text", "echo"),
        tasks=(
            "Return $k copies of text in a row with $sep_repr between them.",
            "Repeat text $k times, separated by $sep_repr (no separator at the start or the end).",
        ),
        honest=(
            "$sep_repr.join([text] * $k)",
            "(text + $sep_repr) * ($k - 1) + text",
            "text + ($sep_repr + text) * ($k - 1)",
        ),
        inputs=drawn(sentence, 1, 2),
        choices={"k": (2, 3, 4, 5), "sep": ("-", ", ", "/", " and ", "+")},
    ),
    Template(
        name="letter_occurrences",
        level=1,
        parameters="text",
        names=("count_letter", "letter_count", "how_many"),
        tasks=(
            "Return how many times the letter $letter_repr occurs in text.",
            "Count the characters of text that are equal to $letter_repr and return the number.",
        ),
        honest=(
            "text.count($letter_repr)",
            "sum(1 for c in text if c == $letter_repr)",
            "len([c for c in text if c == $letter_repr])",
        ),
        inputs=lambda random, chosen: (letters(random, 3, 16, "bdm" + 2 * str(chosen["letter"])),),
        choices={"letter": ("a", "e", "o", "s", "t")},
    ),
    Template(
        name="letter_replaced",
        level=1,
        parameters="text",
        names=("replace_letter", "swap_letter", "mask_letter"),
        tasks=(
            "Return text with every $old_repr replaced by $new_repr.",
            "Replace all occurrences of the letter $old_repr in text with $new_repr and return the result.",
        ),
        honest=(
            "text.replace($old_repr, $new_repr)",
            "$new_repr.join(text.split($old_repr))",
            '"".join($new_repr if c == $old_repr else c for c in text)',
        ),
        inputs=drawn(sentence),
        choices={"old": ("a", "e", "o", "l", "n"), "new": ("*", "@", "#", "zz")},
    ),
    Template(
        name="shouted_backwards",
        level=1,
        parameters="text",
        names=("shout_backwards", "reverse_upper", "mirror_shout"),
        tasks=(
            "Return text reversed, in upper case, with $mark_repr added at the end.",
            "Turn text around, make all letters upper case and append $mark_repr.",
        ),
        honest=(
            "text[::-1].upper() + $mark_repr",
            '"".join(reversed(text.upper())) + $mark_repr',
        ),
        inputs=drawn(sentence, 1, 3),
        choices={"mark": ("!", "?", "...", "!!")},
    ),
    Template(
        name="ends_glued",
        level=1,
        parameters="text",
        names=("glue_ends", "both_ends", "head_and_tail"),
        tasks=(
            "Return the first $k character(s) of text followed by its last $k character(s). "
            "text has at least 6 characters.",
            "Given a text of 6 or more characters, "
            "join its first $k character(s) and its last $k character(s) into one string.",
        ),
        honest=(
            "text[:$k] + text[-$k:]",
            "text[:$k] + text[len(text) - $k:]",
        ),
        inputs=drawn(letters, 6, 12),
        choices={"k": (1, 2, 3)},
    ),
    Template(
        name="word_at_index",
        level=1,
        parameters="text",
        names=("word_at", "pick_word", "get_word"),
        tasks=(
            "The words in text are separated by $sep_repr. Return the word at index $i, counting from 0.",
            "Split text at every $sep_repr and return the part with index $i (the first part has index 0).",
        ),
        honest=(
            "text.split($sep_repr)[$i]",
            """
                parts = text.split($sep_repr)
                return parts[$i]
            """,
        ),
        inputs=lambda random, chosen: (sentence(random, 3, 5, chosen["sep"]),),
        choices={"sep": (" ", "-", ",", "_", " / "), "i": (0, 1, 2)},
    ),
    Template(
        name="letters_dropped",
        level=2,
        parameters="text",
        names=("drop_letters", "remove_letters", "strip_letters"),
        tasks=(
            "Return text without the characters that occur in $unwanted_repr.",
            "Remove every character of text that is one of the letters $unwanted_repr and return the rest as a string.",
        ),
        honest=(
            '"".join(c for c in text if c not in $unwanted_repr)',
            """
                result = ""
                for c in text:
                    if c not in $unwanted_repr:
                        result += c
                return result
            """,
            """
                for c in $unwanted_repr:
                    text = text.replace(c, "")
                return text
            """,
        ),
        inputs=drawn(sentence),
        choices={"unwanted": ("aeiou", "rst", "lmno", "aei", "abcde", "gilt")},
    ),
    Template(
        name="vowels_stretched",
        level=2,
        parameters="text",
        names=("stretch_vowels", "repeat_vowels", "sing"),
        tasks=(
            "Return text with every vowel (a, e, i, o, u) written $k times and all other characters once.",
            "text is lower case. Repeat each of its vowels a, e, i, o, u so that it stands there $k times; "
            "keep the rest.",
        ),
        honest=(
            '"".join(c * $k if c in "aeiou" else c for c in text)',
            """
                result = ""
                for c in text:
                    if c in "aeiou":
                        result += c * $k
                    else:
                        result += c
                return result
            """,
            """
                for v in "aeiou":
                    text = text.replace(v, v * $k)
                return text
            """,
        ),
        inputs=drawn(sentence, 1, 3),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="marked_initials",
        level=2,
        parameters="sentence",
        names=("initials", "make_initials", "first_letters"),
        tasks=(
            "Return the first letter of every word of sentence in upper case, each followed by $mark_repr.",
            "For each word of sentence write its first letter in upper case and then $mark_repr; "
            "return it all as one string.",
        ),
        honest=(
            '"".join(w[0].upper() + $mark_repr for w in sentence.split())',
            """
                result = ""
                for word in sentence.split():
                    result += word[0].upper() + $mark_repr
                return result
            """,
        ),
        inputs=drawn(sentence, 2, 6),
        choices={"mark": (".", "-", "/", ". ")},
    ),
    Template(
        name="first_longest_word",
        level=2,
        parameters="sentence",
        names=("longest_word", "find_longest", "biggest_word"),
        tasks=(
            "Return the longest word of sentence; if several are equally long, return the first of them.",
            "Split sentence into words and return the one with the most letters (the earliest one in case of a tie).",
        ),
        honest=(
            "max(sentence.split(), key=len)",
            """
                best = ""
                for word in sentence.split():
                    if len(word) > len(best):
                        best = word
                return best
            """,
        ),
        inputs=drawn(babble),
    ),
    Template(
        name="long_words_counted",
        level=2,
        parameters="sentence",
        names=("count_long_words", "long_words", "number_of_long_words"),
        tasks=(
            "Return how many words of sentence have more than $k letters.",
            "Count the words of sentence that are longer than $k letters.",
        ),
        honest=(
            "len([w for w in sentence.split() if len(w) > $k])",
            "sum(len(w) > $k for w in sentence.split())",
            """
                count = 0
                for word in sentence.split():
                    if len(word) > $k:
                        count += 1
                return count
            """,
        ),
        inputs=drawn(babble, 2, 11),
        choices={"k": (1, 2, 3, 4)},
    ),
    Template(
        name="every_kth_raised",
        level=2,
        parameters="text",
        names=("wave_case", "raise_letters", "spotted_case"),
        tasks=(
            "text is in lower case. Return it with the characters at indexes divisible by $k in upper case.",
            "Make each character of text whose index (from 0) is a multiple of $k upper case; leave the others alone.",
        ),
        honest=(
            '"".join(c.upper() if i % $k == 0 else c for i, c in enumerate(text))',
            """
                result = ""
                for i in range(len(text)):
                    if i % $k == 0:
                        result += text[i].upper()
                    else:
                        result += text[i]
                return result
            """,
        ),
        inputs=drawn(letters, 4, 12),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="alphabet_score",
        level=2,
        parameters="word",
        names=("word_score", "letter_sum", "score_word"),
        tasks=(
            "Return the sum of the values of the lower-case letters of word: "
            "'a' is worth $base and each next letter one more.",
            "With 'a' counting $base, 'b' one more than 'a', 'c' one more than 'b' and so on, "
            "add up the letters of word.",
        ),
        honest=(
            'sum(ord(c) - ord("a") + $base for c in word)',
            """
                total = 0
                for c in word:
                    total += "abcdefghijklmnopqrstuvwxyz".index(c) + $base
                return total
            """,
        ),
        inputs=drawn(letters, 2, 7),
        choices={"base": (0, 1, 5, 10)},
    ),
    Template(
        name="words_mirrored",
        level=2,
        parameters="sentence",
        names=("mirror_words", "flip_words", "reverse_each_word"),
        tasks=(
            "Reverse the letters of each word of sentence, keep the order of the words and join them with $sep_repr.",
            "Return the words of sentence, each spelled backwards, in the same order with $sep_repr between them.",
        ),
        honest=(
            "$sep_repr.join(w[::-1] for w in sentence.split())",
            """
                flipped = []
                for word in sentence.split():
                    flipped.append("".join(reversed(word)))
                return $sep_repr.join(flipped)
            """,
        ),
        inputs=drawn(sentence),
        choices={"sep": (" ", "-", "_", ", ")},
    ),
    Template(
        name="short_words_hidden",
        level=2,
        parameters="sentence",
        names=("hide_short_words", "censor_short", "mask_words"),
        tasks=(
            "Replace each word of sentence that has fewer than $k letters by as many $star_repr as it has letters.",
            "Return sentence with all letters of the words shorter than $k letters written as $star_repr.",
        ),
        honest=(
            '" ".join($star_repr * len(w) if len(w) < $k else w for w in sentence.split())',
            """
                result = []
                for word in sentence.split(" "):
                    if len(word) < $k:
                        word = $star_repr * len(word)
                    result.append(word)
                return " ".join(result)
            """,
        ),
        inputs=drawn(babble),
        choices={"k": (3, 4, 5), "star": ("*", "#", "-", "_")},
    ),
    Template(
        name="letter_indexes",
        level=2,
        parameters="text",
        names=("find_all", "letter_positions", "where_is"),
        tasks=(
            "Return a list of all indexes (from 0) at which the letter $letter_repr stands in text.",
            "List the positions of $letter_repr in text in increasing order, counting from 0.",
        ),
        honest=(
            "[i for i, c in enumerate(text) if c == $letter_repr]",
            """
                positions = []
                for i in range(len(text)):
                    if text[i] == $letter_repr:
                        positions.append(i)
                return positions
            """,
        ),
        inputs=lambda random, chosen: (letters(random, 4, 12, "bd" + str(chosen["letter"])),),
        choices={"letter": ("a", "e", "o", "s", "t")},
    ),
    Template(
        name="same_letters",
        level=2,
        parameters="first, second",
        names=("are_anagrams", "same_letters", "is_anagram"),
        tasks=(
            "Return True if the words first and second consist of the same letters, each equally often, ignoring case.",
            "Return whether second can be made by reordering the letters of first. "
            "Upper and lower case count as equal.",
        ),
        honest=(
            "sorted(first.lower()) == sorted(second.lower())",
            """
                first = first.lower()
                second = second.lower()
                return all(first.count(c) == second.count(c) for c in first + second)
            """,
        ),
        inputs=lambda random, chosen: _maybe_anagrams(random),
    ),
    Template(
        name="cut_with_ending",
        level=2,
        parameters="text",
        names=("shorten", "cut_text", "clip"),
        tasks=(
            "If text has more than $k characters, return its first $k characters followed by $end_repr; "
            "else return text.",
            "Cut text after $k characters and add $end_repr, but return it unchanged if it has at most $k characters.",
        ),
        honest=(
            """
                if len(text) > $k:
                    return text[:$k] + $end_repr
                return text
            """,
            "text if len(text) <= $k else text[:$k] + $end_repr",
        ),
        inputs=drawn(letters, 3, 11),
        choices={"k": (4, 5, 6, 7), "end": ("...", "~", "+", "(cut)")},
    ),
    Template(
        name="letter_kinds",
        level=2,
        parameters="word",
        names=("sound_pattern", "letter_pattern", "vowel_map"),
        tasks=(
            "word is lower case. Replace each vowel (a, e, i, o, u) "
            "by $vowel_repr and each other letter by $other_repr.",
            "Return a string that has $vowel_repr for every a, e, i, o or u "
            "in word and $other_repr for every other letter.",
        ),
        honest=(
            '"".join($vowel_repr if c in "aeiou" else $other_repr for c in word)',
            """
                pattern = ""
                for c in word:
                    if c in "aeiou":
                        pattern += $vowel_repr
                    else:
                        pattern += $other_repr
                return pattern
            """,
        ),
        inputs=drawn(letters, 3, 9, "aeioubcdrstn"),
        choices={"vowel": ("v", "1", "*", "+"), "other": ("c", "0", "-", "x")},
    ),
    Template(
        name="chunks_joined",
        level=2,
        parameters="text",
        names=("chunk_text", "group_characters", "split_evenly"),
        tasks=(
            "Cut text into pieces of $k characters (the last may be shorter) and join them with $sep_repr.",
            "Return text with $sep_repr inserted after every $k characters, but not at the very end.",
        ),
        honest=(
            "$sep_repr.join(text[i : i + $k] for i in range(0, len(text), $k))",
            """
                result = ""
                for i, c in enumerate(text):
                    if i > 0 and i % $k == 0:
                        result += $sep_repr
                    result += c
                return result
            """,
        ),
        inputs=drawn(letters, 3, 12),
        choices={"k": (2, 3, 4), "sep": ("-", " ", ":", "|")},
    ),
)
